"""Patience with Redis, counted in turns of the event loop: one that is busy reads late what came in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LOOKS = 8
"""A look takes two turns at most where those are long: so many suffice to connect and to read an answer."""

_FEWEST = 3
"""So many suffice to read an answer."""

_LONGEST = 10


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError when the block takes longer; each turn of the loop counts as a part of that at most.

    So whatever came while the loop was busy is read before it counts as missing. That takes `_LOOKS` parts, two turns
    each at most, or only `_FEWEST` of them once it lasts ten times as long.
    """
    async with asyncio.timeout(None) as limit:
        looks = _Looks(limit, seconds)
        try:
            yield
        finally:
            looks.end()


class _Looks:
    """Counted, not timed, as the watchdog's are."""

    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._seconds = seconds / _LOOKS
        self._over_at = self._loop.time() + seconds * _LONGEST
        self._looks = 0
        self._next = self._loop.call_later(self._seconds, self._look)

    def end(self) -> None:
        self._next.cancel()

    def _look(self) -> None:
        self._looks += 1
        if self._looks < _LOOKS and (self._looks < _FEWEST or self._loop.time() < self._over_at):
            self._next = self._loop.call_later(self._seconds, self._look)
        else:
            self._limit.reschedule(self._loop.time())  # in the next turn: what came in this one is first
