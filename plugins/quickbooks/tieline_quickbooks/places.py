"""Where the reading of what changes stands: what to ask for next, and what to remember in between. No I/O.

    everything     each entity by query, and then what changed meanwhile
    all at once    one call of change data capture, since the reading before. It shows 1,000 objects at most, and
                   does not say that it left some out: so many may be more
    one by one     then, or where that answer is too large to be read, each entity by a call of its own, and by query
                   where that is too much again. A query shows no deletions, so the next reading begins anew

A query gives the records of a window of time, oldest change first. Records that are edited leave the window, and
all behind them move up. So page 2 is never asked for, but page 1 since the newest record that was seen, that second
included. Where a page does not get on like this (an import may stamp thousands alike), what is left of the window is
counted and read from its end: then records move up towards the pages that are still to be read.

What follows begins `OVERLAP` before this reading began, by Intuit's clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta

from tieline.plugins import CursorTooOld

OVERLAP = timedelta(minutes=5)
"""A change may become visible later than its time says. Intuit states no bound; within these minutes changes are read
again, which costs no call until there are 1,000."""

LOOK_BACK = timedelta(days=29)
"""Change data capture goes back 30 days; a day is left for what clocks and time zones make of that."""

MOST_CHANGES = 1000
PAGE_SIZE = 1000

_VERSION = 3
"""Another one where entities were added or moved: what was never loaded shows in no changes."""

_EARLIEST = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(9998, 12, 31, tzinfo=UTC).timestamp())


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """How far a query has come: the second it goes on from, None for the first record there is.

    `left`: it goes backwards, and so many records of the window are still to be read; 0 until they are counted.
    """

    since: int | None = None
    left: int | None = None

    @property
    def is_uncounted(self) -> bool:
        return self.left == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Seconds since 1970. `since`: changes are asked for from there, None while everything is loaded.

    `entity` is the number of the one that is read by itself, `walk` how far its query has come, up to `until`.
    `is_whole`: the reading began without a cursor. `is_torn`: deletions may have been missed. `size` is how many
    records a page was to have on the way here.
    """

    since: int | None = None
    until: int | None = None
    entity: int | None = None
    walk: Walk | None = None
    is_whole: bool = False
    is_torn: bool = False
    size: int = PAGE_SIZE

    @classmethod
    def of(cls, cursor: str | None, *, now: datetime) -> Place:
        """Raises CursorTooOld where nothing can be read on from it."""
        if cursor is None:
            return cls(entity=0, walk=Walk(), is_whole=True)
        place = _read(cursor)
        began = place.since if place.until is None else place.until
        is_old = began is not None and second(now) - began > LOOK_BACK.total_seconds()
        if is_old or (place.is_torn and place.entity is None):
            raise CursorTooOld
        return place

    def cursor(self) -> str:
        return json.dumps([_VERSION, *astuple(self)], separators=(",", ":"))

    @property
    def is_loading(self) -> bool:
        return self.since is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What a page of a query showed: when its records were changed, in their order; `size` is how many were asked for.

    `count` is how many records there were, `at` when the answer was made.
    """

    changes: Sequence[datetime]
    count: int
    size: int
    at: datetime


def walked(place: Place, sight: Sight, *, entities: int) -> tuple[Place, bool]:
    """Where the reading stands after a page of a query, and whether it is over."""
    place = replace(place, until=second(sight.at) if place.until is None else place.until)
    walk = _further(place.walk or Walk(), sight)
    if walk is not None:
        return replace(place, walk=walk), False
    return _next(place, entities)


def changed(place: Place, count: int, at: datetime, *, entities: int) -> tuple[Place, bool]:
    """The same after a call of change data capture that showed so many objects."""
    if place.entity is None:
        if count < MOST_CHANGES:
            return _finished(place, second(at)), True
        return narrowed(replace(place, until=second(at))), False
    if count < MOST_CHANGES:
        return _next(replace(place, until=place.until or second(at)), entities)
    return narrowed(place), False


def narrowed(place: Place) -> Place:
    """What is asked for next where change data capture showed too much: each entity alone, or this one by query."""
    if place.entity is None:
        return replace(place, entity=0)
    return replace(place, walk=Walk(since=place.since), is_torn=True)


def counted(place: Place, number: int, *, entities: int) -> tuple[Place, bool]:
    """So many records of the window are left to read backwards."""
    if number <= 0:
        return _next(place, entities)
    return replace(place, walk=replace(place.walk or Walk(), left=number)), False


def window(left: int, size: int) -> tuple[int, int]:
    """Where the page begins that ends with the last record left, counted from 1, and how many it has."""
    number = min(left, size)
    return left - number + 1, number


def second(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


def _further(walk: Walk, sight: Sight) -> Walk | None:
    """None where nothing is left."""
    if walk.left is not None:
        left = walk.left - sight.size
        return replace(walk, left=left) if left > 0 else None
    if sight.count < sight.size:
        return None
    changes = [second(change) for change in sight.changes]
    is_readable = len(changes) == sight.count and changes == sorted(changes)
    if is_readable and (walk.since is None or changes[-1] > walk.since):
        return Walk(since=changes[-1])
    return replace(walk, left=0)


def _next(place: Place, entities: int) -> tuple[Place, bool]:
    """To the next entity; behind the last one, what everything began with is followed by what changed meanwhile."""
    following = (place.entity or 0) + 1
    if following < entities:
        return replace(place, entity=following, walk=Walk() if place.is_loading else None), False
    until = place.until or 0
    if place.is_loading:
        since = until - int(OVERLAP.total_seconds())
        return Place(since=since, is_whole=place.is_whole, size=place.size), False
    return _finished(place, until), True


def _finished(place: Place, at: int) -> Place:
    return Place(since=at - int(OVERLAP.total_seconds()), is_torn=place.is_torn)


def _read(cursor: str) -> Place:
    """One that is of another version, or none of ours, begins anew: that costs calls, but no record."""
    try:
        version, since, until, entity, walk, is_whole, is_torn, size = json.loads(cursor)
        place = Place(
            since=since,
            until=until,
            entity=entity,
            walk=None if walk is None else Walk(since=walk[0], left=walk[1]),
            is_whole=is_whole is True,
            is_torn=is_torn is True,
            size=size,
        )
    except (ValueError, TypeError, LookupError, RecursionError):
        raise CursorTooOld from None
    if version != _VERSION or not _is_sound(place):
        raise CursorTooOld
    return place


def _is_sound(place: Place) -> bool:
    instants = (place.since, place.until, place.walk and place.walk.since)
    numbers = (place.entity, place.walk and place.walk.left, place.size)
    is_placed = place.since is not None or (place.entity is not None and place.walk is not None)
    return (
        is_placed
        and type(place.size) is int
        and all(one is None or (type(one) is int and _EARLIEST <= one <= _LATEST) for one in instants)
        and all(one is None or (type(one) is int and 0 <= one < _LATEST) for one in numbers)
    )
