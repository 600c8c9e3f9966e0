"""A provider's limits, as data: what a plugin says of them, and what an answer says is left.

RATE          so many calls in any `window`: safe where the provider's window is fixed and where it slides
CONCURRENCY   so many calls in flight
MONTH         so many calls in any 31 days: counted by days of UTC, so a little longer
DAY           so many calls a day; when the day begins anew only the provider knows, and its answers say
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tieline.errors import LimitScope

MONTH = timedelta(days=31)


class LimitKind(StrEnum):
    """How calls are counted against a limit."""

    RATE = "RATE"
    MONTH = "MONTH"
    CONCURRENCY = "CONCURRENCY"
    DAY = "DAY"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """`name` is the word that faults and `Remaining` use; `window` is a RATE's; `source` links to who says so."""

    name: str
    scope: LimitScope
    kind: LimitKind
    most: int
    source: str
    window: timedelta | None = None

    @property
    def counted_over(self) -> timedelta | None:
        """How long a call counts: a RATE's window, or a month; None where no clock says so."""
        return MONTH if self.kind is LimitKind.MONTH else self.window


@dataclass(frozen=True, kw_only=True, slots=True)
class Remaining:
    """What an answer says is left of a limit after the call, for the organisation of the call or for the app."""

    limit: str
    left: int
