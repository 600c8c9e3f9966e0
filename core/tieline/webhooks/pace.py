"""How soon what was touched is read: after a moment, and never so often that webhooks use up a day or a month.

No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline.ids import OrganisationId
from tieline.plugins import Limit, LimitKind, LimitScope

_DAY = timedelta(days=1)
_SHARE = 2
"""One call in so many of a day or a month may be for webhooks; the rest is for people and for what is due."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """`debounce`: from the first thing that was touched to the sync of all. `spacing`: between two such syncs."""

    debounce: timedelta
    spacing: timedelta

    def first_sync(self, organisation_id: OrganisationId, *, at: datetime) -> datetime:
        """When what is touched now is read at the soonest, some organisations up to a debounce later than others.

        So what is told of many at once, as after an outage, is not read at once.
        """
        later = int.from_bytes(organisation_id.bytes[-2:]) / 2**16
        return at + self.debounce * (1 + later)

    def between(self, limits: Iterable[Limit], *, feeds: int, organisations: int) -> timedelta:
        """How long to leave between two syncs of so many feeds, each of which costs at least a call.

        What is the app's limit, so many organisations share.
        """
        spans = [
            _span(limit) * feeds * _SHARE / limit.most * _sharers(limit, organisations)
            for limit in limits
            if _span(limit) >= _DAY and limit.most > 0
        ]
        return max((self.spacing, *spans))

    def next_sync(
        self,
        last: datetime | None,
        limits: Iterable[Limit],
        *,
        feeds: int,
        organisations: int,
        at: datetime,
    ) -> datetime:
        """When what was touched may be read, where the last sync of the kind was asked for at `last`."""
        if last is None:
            return at
        return max(at, last + self.between(limits, feeds=feeds, organisations=organisations))


def _span(limit: Limit) -> timedelta:
    """How long it is until the limit is there anew; nothing for calls in flight."""
    return _DAY if limit.kind is LimitKind.DAY else limit.counted_over or timedelta(0)


def _sharers(limit: Limit, organisations: int) -> int:
    return organisations if limit.scope is LimitScope.APP else 1
