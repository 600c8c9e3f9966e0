"""One bucket, without I/O: all that is remembered of it is the instant at which it will be full again.

Of two askers at once one sees what the other took, since the instant moves with each. Instants and spans are whole
microseconds, so that Redis and a process reckon alike.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

MOST_BUCKETS = 50_000
_SECOND = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """`per_second` flows in, until there is `burst`. What costs more than that takes a full bucket, and all of it."""

    per_second: float
    burst: float

    def span(self, cost: float) -> int:
        """How long it takes to flow in."""
        return math.ceil(min(cost, self.burst) / self.per_second * _SECOND)

    @property
    def whole(self) -> int:
        """How long an empty bucket takes to be full."""
        return self.span(self.burst)


def taken(full_at: int, now: int, *, span: int, whole: int) -> tuple[int, int]:
    """When the bucket is full again, and how long to wait: one of the two changes nothing.

    An instant further away than a bucket can be is of a clock that has jumped.
    """
    begins = min(max(full_at, now), now + whole)
    after = begins + span
    wait = after - now - whole
    return (full_at, wait) if wait > 0 else (after, 0)


class Buckets:
    """Those of one process. The ones longest unused leave when there are too many: they are full by then, mostly."""

    def __init__(self, now: Callable[[], int], *, most: int = MOST_BUCKETS) -> None:
        self._now = now
        self._most = most
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, name: str, cost: float, rate: Rate) -> timedelta | None:
        """None where there was enough, or how long to wait."""
        now = self._now()
        before = self._full_at.pop(name, now)
        after, wait = taken(before, now, span=rate.span(cost), whole=rate.whole)
        self._full_at[name] = after
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return timedelta(microseconds=wait) if wait else None
