"""Reading together: subscribers of one process that see the same read the feed once for all of them.

    subscriber ── Reader ──┐
    subscriber ── Reader ──┴── Feed, one a view ── one statement for all who ask from one place at once

A feed keeps the last stretch it has read, at most 200 events and seconds old, so that whoever comes a moment
later is served from it, and all end up at the same place. Of who sees the whole practice, one in which nothing happened
is kept for as long as that is so: thousands who wait cost a statement a second at most. A feed goes when its last
reader goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tieline import live
from tieline.events.repository import Batch, EventCursor, Recorded
from tieline.events.service import read_on
from tieline.events.turns import Turns
from tieline.ids import PracticeId
from tieline.live import Watcher
from tieline.principal import Principal
from tieline.visibility import View, view_of

BATCH = 100
KEPT_SECONDS = 2.5
"""How old the knowledge of what a view sees can be when something of a kept stretch is handed out."""
_KEPT = 2 * BATCH
_FRESH_SECONDS = 1.0
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stretch:
    """All events of a view after `start` up to and including `cursor`, read between two moments.

    `lasts`: where it holds none there never were any, whoever may see what by now.
    """

    start: EventCursor
    events: tuple[Recorded, ...]
    cursor: EventCursor
    more: bool
    first_read: float
    last_read: float
    lasts: bool

    @property
    def is_ageless(self) -> bool:
        return self.lasts and not self.events

    def covers(self, place: EventCursor) -> bool:
        young = time.monotonic() - self.first_read < KEPT_SECONDS
        return (young or self.is_ageless) and self.start <= place <= self.cursor

    def after(self, place: EventCursor) -> tuple[Recorded, ...]:
        return tuple(event for event in self.events if event.cursor > place)

    def joined(self, later: _Stretch) -> _Stretch:
        """Both as one where they touch and it is worth keeping; else the later."""
        touches = self.covers(later.start) and self.cursor == later.start
        if not touches or len(self.events) + len(later.events) > _KEPT:
            return later
        return _Stretch(
            start=self.start,
            events=self.events + later.events,
            cursor=later.cursor,
            more=later.more,
            first_read=later.first_read if self.is_ageless else self.first_read,
            last_read=later.last_read,
            lasts=self.lasts,
        )


@dataclass(kw_only=True, slots=True)
class _Read:
    """A statement that is about to be sent or under way, and how many wait for it."""

    task: asyncio.Task[Batch]
    waiting: int = 0


class Feed:
    """The events of one practice as one view sees them; `whole`: all of them, always."""

    def __init__(self, *, whole: bool) -> None:
        self.watchers: set[Watcher] = set()
        self.turns = Turns()
        self._whole = whole
        self._known: _Stretch | None = None
        self._reads: dict[tuple[EventCursor, bool], _Read] = {}
        self._again: asyncio.TimerHandle | None = None
        self._held_back = 0

    async def read(
        self, principal: Principal, after: EventCursor, *, since: float, was_end: bool = False
    ) -> Batch:
        """What comes after this place; nothing is left for now if `more` is false. Raises CursorExpired.

        `since`, by `time.monotonic`: what was committed before is in it. `was_end` as of `read_on`.
        """
        known = self._known
        if known is not None and known.covers(after):
            settled = known.last_read >= since and not known.more
            if settled or after < known.cursor:
                return Batch(events=known.after(after), cursor=known.cursor, more=not settled)
        return await self._read_together(principal, after, was_end=was_end)

    def close(self) -> None:
        if self._again is not None:
            self._again.cancel()

    async def _read_together(self, principal: Principal, after: EventCursor, *, was_end: bool) -> Batch:
        """Cancelled with the last of those who wait for it; whoever asks then begins another."""
        place = after, was_end
        read = self._reads.get(place)
        if read is None:
            begun = asyncio.create_task(self._read(principal, after, was_end=was_end))
            read = self._reads[place] = _Read(task=begun)
        read.waiting += 1
        try:
            return await asyncio.shield(read.task)
        finally:
            read.waiting -= 1
            if not read.waiting:
                read.task.cancel()
                if self._reads.get(place) is read:
                    del self._reads[place]

    async def _read(self, principal: Principal, after: EventCursor, *, was_end: bool) -> Batch:
        await asyncio.sleep(0)  # for the others that the same hint has woken
        del self._reads[after, was_end]  # who asks from here on may have been told of something later
        began = time.monotonic()
        batch = await read_on(principal, after, limit=BATCH, was_end=was_end)
        if not batch.ahead:
            self._keep(after, batch, began)
        self._look_again_soon(held_back=batch.held_back)
        return batch

    def _keep(self, start: EventCursor, batch: Batch, began: float) -> None:
        read = _Stretch(
            start=start,
            events=batch.events,
            cursor=batch.cursor,
            more=batch.more,
            first_read=began,
            last_read=began,
            lasts=self._whole,
        )
        if self._known is None or not self._known.covers(self._known.cursor):
            self._known = read
        elif read.cursor >= self._known.cursor:
            self._known = self._known.joined(read)

    def _look_again_soon(self, *, held_back: bool) -> None:
        """No hint comes when a transaction ends that is not of this practice, so all look by themselves."""
        if not held_back:
            self._held_back = 0
        elif self._again is None:
            pause = _PAUSES[min(self._held_back, len(_PAUSES) - 1)]
            self._held_back += 1
            self._again = asyncio.get_running_loop().call_later(pause, self._wake)

    def _wake(self) -> None:
        self._again = None
        for watcher in self.watchers:
            watcher.wake()


class Feeds:
    """The feeds of a process, each as long as somebody reads it."""

    def __init__(self) -> None:
        self._by_view: dict[View, Feed] = {}

    def __len__(self) -> int:
        return len(self._by_view)

    def join(self, view: View, watcher: Watcher) -> Feed:
        _, person_id, _ = view
        feed = self._by_view.setdefault(view, Feed(whole=person_id is None))
        feed.watchers.add(watcher)
        return feed

    def leave(self, view: View, watcher: Watcher) -> None:
        feed = self._by_view[view]
        feed.watchers.discard(watcher)
        if not feed.watchers:
            feed.close()
            del self._by_view[view]


class Reader:
    """One subscriber's way to the feed: read until nothing is left, each event in its turn, wait, read on."""

    def __init__(self, feeds: Feeds, watcher: Watcher) -> None:
        self._feeds = feeds
        self._watcher = watcher
        self._view: View | None = None
        self._feed: Feed | None = None
        self._since = time.monotonic()
        self._end: EventCursor | None = None

    async def read(self, principal: Principal, after: EventCursor) -> Batch:
        """What this caller may see after this place, at most 200 events at a time. Raises CursorExpired."""
        view = view_of(principal)
        if view != self._view:
            self.leave()
            self._view = view
        feed = self._feed = self._feeds.join(view, self._watcher)
        batch = await feed.read(principal, after, since=self._since, was_end=after == self._end)
        self._end = None if batch.more else batch.cursor
        return batch

    async def turn(self) -> None:
        """Before each event that is sent: however many are told of it, nobody else waits for all of them."""
        if self._feed is not None:
            await self._feed.turns.take()

    async def wait(self) -> None:
        """Until there may be more: a hint came, or it is time to look without one."""
        hinted = await self._watcher.wait()
        self._since = self._watcher.told_at if hinted else time.monotonic() - _FRESH_SECONDS

    def leave(self) -> None:
        if self._view is not None:
            self._feeds.leave(self._view, self._watcher)
            self._view = self._feed = None


FEEDS = Feeds()


@contextmanager
def reading(practice_id: PracticeId) -> Iterator[Reader]:
    """Read this practice's events until the block ends."""
    with live.watching(practice_id, "events", practice_id) as watcher:
        reader = Reader(FEEDS, watcher)
        try:
            yield reader
        finally:
            reader.leave()
