"""Patience with Redis, counted in turns of the event loop: one that is busy reads late what came in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LOOKS = 20


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError when the block takes longer; each turn of the loop counts as a part of that at most.

    So whatever came while the loop was busy is read before it counts as missing.
    """
    async with asyncio.timeout(None) as limit:
        looks = _Looks(limit, seconds / _LOOKS)
        try:
            yield
        finally:
            looks.end()


class _Looks:
    """Counted, not timed, as the watchdog's are."""

    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._seconds = seconds
        self._left = _LOOKS
        self._next = self._loop.call_later(seconds, self._look)

    def end(self) -> None:
        self._next.cancel()

    def _look(self) -> None:
        self._left -= 1
        if self._left:
            self._next = self._loop.call_later(self._seconds, self._look)
        else:
            self._limit.reschedule(self._loop.time())  # in the next turn: what came in this one is first
