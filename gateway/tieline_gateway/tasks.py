"""Tasks that begin before they are cancelled.

The fields of an operation are coroutines within coroutines. Where a task is cancelled before its first step, those
within its own are dropped, and the interpreter tells of each, past our log, that it was never awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any


def begin_before_cancelled() -> None:
    """From now on for all tasks of the running event loop."""
    asyncio.get_running_loop().set_task_factory(_made)


class _Beginning(asyncio.Task[Any]):
    def cancel(self, msg: Any | None = None) -> bool:
        coroutine = self.get_coro()
        if not iscoroutine(coroutine) or getcoroutinestate(coroutine) != CORO_CREATED:
            return super().cancel(msg)
        self.get_loop().call_soon(super().cancel, msg)  # after its first step, which is due already
        return True


def _made(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    **more: Any,
) -> _Beginning:
    return _Beginning(coroutine, loop=loop, **more)
