"""Who holds sockets of this process, and whether they still may: looked up for all of them at once.

    a hint about one of them ──┐
                               ├──► one statement for all ──► those who may not stay are told
    five seconds went by ──────┘

Hints make it quick, time makes it sure: without Redis it takes five seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tieline import clock, live
from tieline.errors import TryAgain
from tieline.identity.standing import Connected, connected, still
from tieline.live import Watcher
from tieline.log import get_logger
from tieline.practices.authority import TOPIC
from tieline_gateway.transport.errors import TooMany
from tieline_gateway.transport.incoming import Credentials

LOOK_SECONDS = 5.0
RETRY_SECONDS = 30

log = get_logger(__name__)


@dataclass(eq=False)
class _Present:
    caller: Connected
    watcher: Watcher
    is_over: bool = False

    def leave(self) -> None:
        self.is_over = True
        self.watcher.wake()


class Presence:
    """One for a process. `seconds` is the time between two looks without a hint, `most` what one caller may hold."""

    def __init__(self, *, seconds: float = LOOK_SECONDS, most: int | None = None) -> None:
        self._seconds = seconds
        self._most = most
        self._held: Counter[str] = Counter()
        self._present: set[_Present] = set()
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def leaves(self, credentials: Credentials) -> None:
        """Until the caller may stay no longer. Raises as `authenticate` does, and `TooMany`."""
        caller = await connected(credentials.token, credentials.practice)
        with self._counted(caller):
            await self._left(caller)

    @contextmanager
    def _counted(self, caller: Connected) -> Iterator[None]:
        """One more of this person's sockets, or of this service's, until the block ends."""
        who = f"{caller.practice_id} {caller.person_id or caller.api_key_id}"
        if self._most is not None and self._held[who] >= self._most:
            raise TooMany(f"You hold {self._most} sockets; close one, or try again in {RETRY_SECONDS} s.")
        self._held[who] += 1
        try:
            yield
        finally:
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]

    async def _left(self, caller: Connected) -> None:
        with live.watching(caller.practice_id, TOPIC, *caller.hinted_by) as watcher:
            present = _Present(caller, watcher)
            self._enter(present)
            try:
                while not present.is_over:
                    if await watcher.wait():
                        self._wanted.set()
            finally:
                self._exit(present)

    def _enter(self, present: _Present) -> None:
        self._present.add(present)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def _exit(self, present: _Present) -> None:
        self._present.discard(present)
        if not self._present and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            try:
                await self._tell_those_who_left()
            except TryAgain:
                continue  # the next look comes soon, and the database's own absence is told elsewhere
            except Exception:
                log.exception("presence.not_looked")

    async def _tell_those_who_left(self) -> None:
        """Tokens that ran out need nobody to be asked, and leave also while the database is away."""
        present, at = [], clock.now()
        for each in self._present:
            if each.caller.until is not None and each.caller.until <= at:
                each.leave()
            else:
                present.append(each)
        if not present:
            return
        for each, stays in zip(present, await still([one.caller for one in present]), strict=True):
            if not stays:
                each.leave()
