"""When an organisation is due again: a day after it was asked for or ended well, sooner after it failed. No I/O."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from tieline.ids import OrganisationId

DAY = timedelta(hours=24)
FEW = 50
_FIRST_RETRY = timedelta(hours=1)
_JITTER = 0.1
_LATE = timedelta(minutes=1)
_LONGEST_SPREAD = timedelta(hours=1)


def next_day(at: datetime) -> datetime:
    """A day on, give or take a tenth, so that what was connected at once is not due at once for ever."""
    return at + DAY * _jitter()


def next_try(at: datetime, failures: int) -> datetime:
    """An hour after the first failure in a row, twice as long after each further one, a day at most."""
    doubled: timedelta = _FIRST_RETRY * 2.0 ** min(max(failures - 1, 0), 10)
    return at + min(doubled, DAY) * _jitter()


def starts(due: Mapping[OrganisationId, datetime], *, at: datetime) -> dict[OrganisationId, datetime]:
    """When work on each begins: when it falls due, or now if that is past.

    More than a few that nobody took in time are a heap, as after an outage or a pause: they are spread, each over as
    long again as it waited, an hour at most.
    """
    waited = {each: at - instant for each, instant in due.items()}
    is_heap = sum(wait > _LATE for wait in waited.values()) > FEW
    return {
        each: at + min(wait, _LONGEST_SPREAD) * _share() if is_heap and wait > _LATE else max(at, due[each])
        for each, wait in waited.items()
    }


def _jitter() -> float:
    return random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads calls, hides nothing


def _share() -> float:
    return random.uniform(0, 1)  # noqa: S311 - the same
