"""How soon what was touched is read: after a moment, and never so often that webhooks use up an organisation's day.

No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline.plugins import Limit, LimitKind, LimitScope

_DAY = timedelta(days=1)
_SHARE = 2
"""One call in so many of an organisation's day may be for webhooks; the rest is for people and for what is due."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """`debounce`: from the first thing that was touched to the sync of all. `spacing`: between two such syncs."""

    debounce: timedelta
    spacing: timedelta

    def between(self, limits: Iterable[Limit], *, feeds: int) -> timedelta:
        """How long to leave between two syncs of so many feeds, each of which costs at least a call."""
        days = (
            limit.most
            for limit in limits
            if limit.kind is LimitKind.DAY and limit.scope is LimitScope.ORGANISATION
        )
        return max((self.spacing, *(_DAY * feeds * _SHARE / most for most in days)))

    def next_sync(
        self, last: datetime | None, limits: Iterable[Limit], *, feeds: int, at: datetime
    ) -> datetime:
        """When what was touched may be read, where the last sync of the kind was asked for at `last`."""
        return at if last is None else max(at, last + self.between(limits, feeds=feeds))
