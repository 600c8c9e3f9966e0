"""Watchers: those who wait for hints in this process, each with at most one wake-up pending."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from tieline.ids import PracticeId
from tieline.live.hints import Topics

SLOW_SECONDS = 15.0
POLL_SECONDS = 2.0
MOST_LOOKS = 1_000
"""How many watchers of a process look unasked in a second, so that thousands of them leave time for others."""
_AT_ONCE = 50

_Key = tuple[PracticeId, str, UUID]


class Watcher:
    """Waits for one thing to change. Look first, then wait: what happens in between wakes it at once.

    `told_at` is when it was woken last, by `time.monotonic`.
    """

    def __init__(self, watchers: Watchers) -> None:
        self._watchers = watchers
        self._woken = asyncio.Event()
        self.told_at = time.monotonic()

    async def wait(self) -> bool:
        """Until a hint comes, or it is time to look without one; whether it was a hint."""
        self._watchers.polls(self)
        try:
            async with asyncio.timeout(self._watchers.pause()):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def told(self) -> None:
        """Until a hint comes; for those who are looked at by somebody else from time to time."""
        await self._woken.wait()
        self._woken.clear()

    def wake(self) -> None:
        self.told_at = time.monotonic()
        self._woken.set()


class Watchers:
    """All watchers of a process, by what they watch. `hearing`: hints arrive, so that looking can be rare."""

    def __init__(self) -> None:
        self._by_key: dict[_Key, set[Watcher]] = {}
        self._polling: set[Watcher] = set()
        self._hearing = False
        self._to_wake: list[Watcher] = []
        self._waking: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(len(watchers) for watchers in self._by_key.values())

    @contextmanager
    def watching(self, practice_id: PracticeId, topic: str, *ids: UUID) -> Iterator[Watcher]:
        keys, watcher = {(practice_id, topic, one) for one in ids}, Watcher(self)
        for key in keys:
            self._by_key.setdefault(key, set()).add(watcher)
        try:
            yield watcher
        finally:
            self._polling.discard(watcher)
            for key in keys:
                self._by_key[key].discard(watcher)
                if not self._by_key[key]:
                    del self._by_key[key]

    def polls(self, watcher: Watcher) -> None:
        """This one looks unasked from now on."""
        self._polling.add(watcher)

    def pause(self) -> float:
        """Seconds until a watcher looks unasked; jittered, so that they do not look all at once.

        The more there are who do, the more rarely each of them does while hints do not arrive.
        """
        polling = min(max(POLL_SECONDS, len(self._polling) / MOST_LOOKS), SLOW_SECONDS)
        seconds = SLOW_SECONDS if self._hearing else polling
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - jitter

    def heard(self, practice_id: PracticeId, topics: Topics) -> None:
        """Wake those whom a message concerns."""
        for topic, ids in topics.items():
            keys = self._of_topic(practice_id, topic, ids)
            for key in keys:
                for watcher in self._by_key.get(key, ()):
                    watcher.wake()

    def set_hearing(self, *, hearing: bool) -> None:
        """Hints arrive from now on, or no longer; all look once, one after another, since some may have been missed."""
        if hearing is not self._hearing:
            self._hearing = hearing
            everybody = (watcher for watchers in self._by_key.values() for watcher in watchers)
            self._to_wake = list(dict.fromkeys([*self._to_wake, *everybody]))
            if self._waking is not None:
                self._waking.cancel()
            self._wake()

    def _wake(self) -> None:
        """The next few, and the others after a while."""
        for watcher in self._to_wake[:_AT_ONCE]:
            watcher.wake()
        self._to_wake = self._to_wake[_AT_ONCE:]
        self._waking = None
        if self._to_wake:
            self._waking = asyncio.get_running_loop().call_later(_AT_ONCE / MOST_LOOKS, self._wake)

    def _of_topic(self, practice_id: PracticeId, topic: str, ids: frozenset[UUID] | None) -> list[_Key]:
        """Who watches these, or any of the topic."""
        if ids is None:
            return [key for key in self._by_key if key[:2] == (practice_id, topic)]
        return [(practice_id, topic, one) for one in ids]


WATCHERS = Watchers()


def watching(practice_id: PracticeId, topic: str, *ids: UUID) -> AbstractContextManager[Watcher]:
    """Watch one thing of a practice, or several of one kind, until the block ends."""
    return WATCHERS.watching(practice_id, topic, *ids)
