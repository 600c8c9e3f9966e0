"""Windows of limits and the figures of calls, on the movable clock."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(kw_only=True)
class Window:
    """A count that starts again when its time is over, or when the clock was moved to before it."""

    length: timedelta
    start: datetime
    used: int = 0

    def turn(self, now: datetime) -> None:
        if not self.start <= now < self.start + self.length:
            self.start, self.used = now, 0

    def seconds_left(self, now: datetime) -> int:
        return max(1, math.ceil((self.start + self.length - now).total_seconds()))


@dataclass(kw_only=True)
class Counts:
    """What happened in one company since the start or the last reset; `most_in_flight` has the refused ones, too."""

    calls: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    throttled: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """A call is here while the block runs, whatever is said to it."""
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1
