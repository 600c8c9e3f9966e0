"""Running a command's work with everything open that a process of Tieline has open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def with_database(run: Callable[[], Awaitable[T]]) -> T:
    """Open the database, run it, close the database. Raises what it raises, and StartRefused."""
    from tieline import log
    from tieline.lifespan import ready
    from tieline.settings import load_settings

    settings = load_settings()
    log.configure(format=settings.log_format, level="WARNING")

    async def opened() -> T:
        async with ready(settings):
            return await run()

    return asyncio.run(opened())
