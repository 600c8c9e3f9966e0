"""When an organisation is due again: a day after it was asked for or ended well, sooner after it failed. No I/O."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
_FIRST_RETRY = timedelta(hours=1)
_JITTER = 0.1


def next_day(at: datetime) -> datetime:
    """A day on, give or take a tenth, so that what was connected at once is not due at once for ever."""
    return at + DAY * _jitter()


def next_try(at: datetime, failures: int) -> datetime:
    """An hour after the first failure in a row, twice as long after each further one, a day at most."""
    doubled: timedelta = _FIRST_RETRY * 2.0 ** min(max(failures - 1, 0), 10)
    return at + min(doubled, DAY) * _jitter()


def _jitter() -> float:
    return random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads calls, hides nothing
