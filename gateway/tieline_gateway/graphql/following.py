"""Following one thing: what a caller sees of it at once, and again after every change until it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from tieline import live
from tieline.principal import Principal
from tieline_gateway.graphql.context import Context

T = TypeVar("T")


async def follow(
    context: Context,
    topic: str,
    id: UUID,
    *,
    look: Callable[[Principal], Awaitable[T]],
    is_over: Callable[[T], bool],
    rest_seconds: float = 0.0,
) -> AsyncGenerator[T, None]:
    """What `look` sees, each time it is another than before, until `is_over`.

    A hint makes it look; so does time, since hints may be missed; never twice within `rest_seconds`. Whoever is
    slow to take what is sent keeps nothing waiting: it gets the newest state next. Raises Unauthenticated once the
    caller is no longer known.
    """
    seen: T | None = None
    with live.watching(context.principal.practice_id, topic, id) as watcher:
        while True:
            await context.renew()
            now = await look(context.principal)
            if now != seen:
                yield now
            if is_over(now):
                return
            seen = now
            await asyncio.sleep(rest_seconds)
            await watcher.wait()
