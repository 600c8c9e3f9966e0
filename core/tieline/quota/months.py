"""What this process heard from Redis of months and has not written yet: at most half a minute's counting.

Redis answers each call with the count of its day, which all processes share; so the greatest that anybody heard is the
count, and whoever writes it again does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeAlias

from tieline.errors import TielineError
from tieline.log import fields_of, get_logger
from tieline.plugins.limits import MONTH
from tieline.quota.lasting import Counted, Lasting

WRITE_EVERY = timedelta(seconds=30)
MONTH_DAYS = MONTH + timedelta(days=1)
"""A day's calls count until a month after its end."""
_Key: TypeAlias = tuple[str | None, str, date]

log = get_logger(__name__)


class Months:
    """`every` is how long what was heard may wait to be written."""

    def __init__(self, *, every: timedelta = WRITE_EVERY) -> None:
        self._every = every.total_seconds()
        self._unwritten: dict[Lasting, dict[_Key, Counted]] = {}
        self._due: dict[Lasting, float] = {}

    def heard(self, lasting: Lasting, days: Sequence[Counted]) -> bool:
        """Whether it is time to write; who is told so has to."""
        if not days:
            return False
        unwritten = self._unwritten.setdefault(lasting, {})
        for day in days:
            key = (day.organisation, day.limit, day.day)
            before = unwritten.get(key)
            if before is None or before.calls < day.calls:
                unwritten[key] = day
        now = time.monotonic()
        if now < self._due.get(lasting, now):
            return False
        self._due[lasting] = now + self._every
        return True

    async def known(self, lasting: Lasting) -> Sequence[Counted]:
        """All that a Redis that forgot must hear. Raises Busy and Unavailable."""
        return [*await lasting.counted(), *self._unwritten.get(lasting, {}).values()]

    async def write(self, lasting: Lasting) -> None:
        """Keep what was heard. Best effort: what could not be written is written with the next."""
        unwritten = self._unwritten.get(lasting, {})
        days = list(unwritten.values())
        try:
            await lasting.count(days)
        except TielineError as error:
            log.warning("quota.month_not_kept", **fields_of(error))
            return
        for key, day in list(unwritten.items()):
            if day in days:
                del unwritten[key]

    async def close(self) -> None:
        """Write all that is left."""
        for lasting in [each for each, days in self._unwritten.items() if days]:
            await self.write(lasting)
