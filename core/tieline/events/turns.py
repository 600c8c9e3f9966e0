"""Turns: of thousands who have something to send, so many do in one turn of the event loop; others go on between."""

from __future__ import annotations

import asyncio
from collections import deque

MOST = 50


class Turns:
    """`most` may go on in one turn of the loop, in the order in which they come; for one loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._left = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next: asyncio.Handle | None = None

    async def take(self) -> None:
        """At once where this turn of the loop has room, else once a later one has."""
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.call_soon(self._begin)
        if self._left:
            self._left -= 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _begin(self) -> None:
        self._left, self._next = self._most, None
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever was cancelled needs none
                turn.set_result(None)
                self._left -= 1
        if self._left < self._most:
            self._next = asyncio.get_running_loop().call_soon(self._begin)
