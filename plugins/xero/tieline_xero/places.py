"""Where the reading of a changing list stands: what to ask for next, and what to remember in between. No I/O.

Xero gives the records changed since a second, oldest change first, in pages. A record that is edited moves to the
end meanwhile, and all after it move up by one; whoever asks for page 2 then never sees the first of them. So:

    onwards     page 1 since S, then page 1 since (the newest on it - 1 s), …    nothing can be stepped over, as
                what is left to read is always newer than what was read
    backwards   where a page holds too many changes of one second to get on like this (an import may stamp thousands
                alike): pages P, P-1, … 1 since the same S; records move up, towards the pages still to be read.
                What is kept is how many records are left, so that pages may become smaller meanwhile.
                So too where nobody asked for the order: a page may look sorted by chance

The reading that follows begins `OVERLAP` before this one began, or right after the newest record if that is older.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

OVERLAP = timedelta(minutes=5)
"""A change may carry an earlier time than one that was seen before it, by as long as it took to be saved, copied to
the server that answers, and by the difference between two servers' clocks. Xero states no bound; within these
minutes changes are read again, which costs no call until they fill a page."""

_VERSION = 2
_SAME_SECOND = 1  # whether Xero means "since" or "after" is not said
_EARLIEST = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Seconds since 1970. `since` is what to ask for, None for everything.

    Within a reading, `began` is when it did, by Xero's clock; while it goes backwards, `left` is how many records are
    still to be read, counted from the first, and `newest` the latest change that was seen.
    """

    since: int | None = None
    began: int | None = None
    left: int | None = None
    newest: int | None = None

    @classmethod
    def of(cls, cursor: str | None) -> Place:
        """A cursor that cannot be read begins anew: that costs calls, but no record."""
        try:
            version, since, began, left, newest = json.loads(cursor or "null")
        except (ValueError, TypeError, RecursionError):
            return cls()
        read = cls(since=since, began=began, left=left, newest=newest)
        return read if version == _VERSION and read._is_sound else cls()

    def cursor(self) -> str:
        return json.dumps([_VERSION, *asdict(self).values()], separators=(",", ":"))

    def page(self, size: int) -> int:
        """Which page to ask for where each has so many records."""
        return 1 if self.left is None else -(-self.left // size)

    @property
    def _is_sound(self) -> bool:
        numbers = (self.since, self.began, self.left, self.newest)
        return all(
            number is None or (type(number) is int and _EARLIEST - 1 <= number <= _LATEST)
            for number in numbers
        ) and (self.left is None or (self.left > 0 and self.began is not None))

    @property
    def modified_since(self) -> str | None:
        """For the header, in UTC."""
        if self.since is None:
            return None
        return datetime.fromtimestamp(self.since, UTC).replace(tzinfo=None).isoformat()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What a page showed: the times of its records in their order, how many pages there were, when it was asked.

    `size` is how many records a page may have. `is_in_order`: the oldest change first, as it was asked for.
    """

    changes: Sequence[datetime]
    pages: int
    size: int
    at: datetime
    is_in_order: bool = True


def after(place: Place, sight: Sight) -> tuple[Place, bool]:
    """Where the reading stands after this page, and whether it is over; then it is where the next one begins."""
    changes = [_second(change) for change in sight.changes]
    known = [change for change in (place.newest, *changes) if change is not None]
    newest = max(known, default=None)
    began = _second(sight.at) if place.began is None else place.began
    if place.left is not None:
        left = (place.page(sight.size) - 1) * sight.size
        if left > 0:
            return replace(place, left=left, newest=newest), False
        return _finished(place, began, newest), True
    if sight.pages <= 1:
        return _finished(place, began, newest), True
    onwards = _onwards(place, changes) if sight.is_in_order else None
    if onwards is not None:
        return Place(since=onwards, began=began), False
    left = sight.pages * sight.size
    return Place(since=place.since, began=began, left=left, newest=newest), False


def _onwards(place: Place, changes: Sequence[int]) -> int | None:
    """The second to ask from, if at least half of the page would then not come again."""
    if not changes or list(changes) != sorted(changes):
        return None
    since = changes[-1] - _SAME_SECOND
    passed = sum(change < since for change in changes)
    advances = place.since is None or since > place.since
    return since if advances and passed * 2 >= len(changes) else None


def _finished(place: Place, began: int, newest: int | None) -> Place:
    settled = began - int(OVERLAP.total_seconds())
    if newest is None:
        return Place(since=place.since if place.since is None else min(place.since, settled))
    return Place(since=min(newest + _SAME_SECOND, settled))


def _second(at: datetime) -> int:
    """Whole seconds, as the header has them; what is older than any ledger counts as that old."""
    return max(_EARLIEST, int((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)))
