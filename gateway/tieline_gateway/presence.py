"""Who holds sockets of this process, and whether they still may: looked up for all of them at once.

    a hint about one of them ──┐
                               ├──► one statement for all ──► those who may not stay are told
    three seconds went by ─────┘

Hints make it quick, time makes it sure: without Redis it takes three seconds and a look. A look waits for a connection
to the database as everybody does, which may take longer; subscriptions ask for themselves then before they send
anything. It finds the number of each caller's authority, too: while that stays, what was known of the caller is as good
as new, and thousands of subscriptions need not look it up, each for itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from tieline import clock, live
from tieline.errors import TryAgain
from tieline.identity.standing import Connected, connected, still
from tieline.live import Watcher
from tieline.log import get_logger
from tieline.practices.authority import TOPIC
from tieline.practices.callers.repository import Caller
from tieline.principal import Principal
from tieline_gateway.transport.errors import TooMany
from tieline_gateway.transport.incoming import Credentials
from tieline_gateway.transport.operations import Joined

LOOK_SECONDS = 3.0
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """An authority, after the first look that found it and before the last, by `time.monotonic`."""

    number: int
    first: float
    last: float


class Presence:
    """One for a process. `seconds` is the time between two looks without a hint, `most` what one caller may hold."""

    def __init__(self, *, seconds: float = LOOK_SECONDS, most: int | None = None) -> None:
        self._seconds = seconds
        self._most = most
        self._held: Counter[str] = Counter()
        self._present: set[_Present] = set()
        self._seen: dict[Caller, _Seen] = {}
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def join(self, credentials: Credentials) -> Joined:
        """One more socket of this person, or of this service. Raises as `authenticate` does, and `TooMany`."""
        caller = await connected(credentials.token, credentials.practice)
        who = f"{caller.practice_id} {caller.person_id or caller.api_key_id}"
        if self._most is not None and self._held[who] >= self._most:
            raise TooMany(
                f"You hold {self._most} sockets; close one, or try again in {RETRY_SECONDS} s.",
                retry_after=RETRY_SECONDS,
            )
        self._held[who] += 1
        return Joined(who=who, over=partial(self._left, caller), leave=partial(self._give_back, who))

    def unchanged(self, caller: Principal, *, since: float) -> float | None:
        """Until when nothing has changed of what a caller may, who was looked up after `since`; None: who knows."""
        seen = self._seen.get((caller.practice_id, caller.person_id, caller.api_key_id))
        return seen.last if seen is not None and seen.first <= since else None

    def _give_back(self, who: str) -> None:
        self._held[who] -= 1
        if not self._held[who]:
            del self._held[who]

    async def _left(self, caller: Connected) -> None:
        with live.watching(caller.practice_id, TOPIC, *caller.hinted_by) as watcher:
            present = _Present(caller, watcher)
            self._enter(present)
            try:
                await watcher.told()
                while not present.is_over:
                    self._wanted.set()
                    await watcher.told()
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
            self._seen = {}

    async def _look(self) -> None:
        """From the beginning of one look to that of the next it is so many seconds, however long one takes."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._seconds
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            due = loop.time() + self._seconds
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
        began = time.monotonic()
        numbers = await still([one.caller for one in present])
        seen: dict[Caller, _Seen] = {}
        for each, number in zip(present, numbers, strict=True):
            if number is None:
                each.leave()
            elif each.caller.named not in seen:
                seen[each.caller.named] = self._seen_again(each.caller.named, number, began)
        self._seen = seen

    def _seen_again(self, caller: Caller, number: int, began: float) -> _Seen:
        before = self._seen.get(caller)
        first = before.first if before is not None and before.number == number else time.monotonic()
        return _Seen(number=number, first=first, last=began)
