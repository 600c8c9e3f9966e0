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
        self._watching = 0
        self._hearing = False

    def __len__(self) -> int:
        return sum(len(watchers) for watchers in self._by_key.values())

    @contextmanager
    def watching(self, practice_id: PracticeId, topic: str, *ids: UUID) -> Iterator[Watcher]:
        keys, watcher = {(practice_id, topic, one) for one in ids}, Watcher(self)
        for key in keys:
            self._by_key.setdefault(key, set()).add(watcher)
        self._watching += 1
        try:
            yield watcher
        finally:
            self._watching -= 1
            for key in keys:
                self._by_key[key].discard(watcher)
                if not self._by_key[key]:
                    del self._by_key[key]

    def pause(self) -> float:
        """Seconds until a watcher looks unasked; jittered, so that they do not look all at once.

        The more there are, the more rarely each of them does while hints do not arrive.
        """
        polling = min(max(POLL_SECONDS, self._watching / MOST_LOOKS), SLOW_SECONDS)
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
            everybody = list({watcher for watchers in self._by_key.values() for watcher in watchers})
            self._wake(everybody)

    def _wake(self, watchers: list[Watcher]) -> None:
        for watcher in watchers[:_AT_ONCE]:
            watcher.wake()
        if rest := watchers[_AT_ONCE:]:
            asyncio.get_running_loop().call_later(_AT_ONCE / MOST_LOOKS, self._wake, rest)

    def _of_topic(self, practice_id: PracticeId, topic: str, ids: frozenset[UUID] | None) -> list[_Key]:
        """Who watches these, or any of the topic."""
        if ids is None:
            return [key for key in self._by_key if key[:2] == (practice_id, topic)]
        return [(practice_id, topic, one) for one in ids]


WATCHERS = Watchers()


def watching(practice_id: PracticeId, topic: str, *ids: UUID) -> AbstractContextManager[Watcher]:
    """Watch one thing of a practice, or several of one kind, until the block ends."""
    return WATCHERS.watching(practice_id, topic, *ids)
