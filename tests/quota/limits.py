"""Limits that tests pretend a provider has, and calls through a gate."""

from __future__ import annotations

from datetime import timedelta

from tieline.errors import LimitScope, QuotaSpent
from tieline.plugins.faults import Throttled
from tieline.plugins.gate import Gate
from tieline.plugins.limits import Limit, LimitKind, Remaining

_SOURCE = "https://provider.example"


def at_once(most: int) -> Limit:
    return Limit(
        name="concurrent",
        scope=LimitScope.ORGANISATION,
        kind=LimitKind.CONCURRENCY,
        most=most,
        source=_SOURCE,
    )


def a_minute(most: int, *, scope: LimitScope = LimitScope.ORGANISATION) -> Limit:
    name = "minute" if scope is LimitScope.ORGANISATION else "app_minute"
    return Limit(
        name=name, scope=scope, kind=LimitKind.RATE, most=most, window=timedelta(minutes=1), source=_SOURCE
    )


def a_day(most: int) -> Limit:
    return Limit(name="day", scope=LimitScope.ORGANISATION, kind=LimitKind.DAY, most=most, source=_SOURCE)


def a_month(most: int) -> Limit:
    return Limit(name="month", scope=LimitScope.APP, kind=LimitKind.MONTH, most=most, source=_SOURCE)


def throttled(limit: str, seconds: float | None, scope: LimitScope = LimitScope.ORGANISATION) -> Throttled:
    retry_after = None if seconds is None else timedelta(seconds=seconds)
    return Throttled(limit=limit, scope=scope, retry_after=retry_after)


async def call(
    gate: Gate, organisation: str | None = "a", fault: Throttled | None = None, **left: int
) -> None:
    """One call whose answer says this."""
    async with gate.call(organisation) as passage:
        passage.answered([Remaining(limit=name, left=figure) for name, figure in left.items()], fault)


async def passed(gate: Gate, times: int, organisation: str | None = "a") -> int:
    """How many of so many calls go through, one after the other."""
    count = 0
    for _ in range(times):
        try:
            await call(gate, organisation)
        except QuotaSpent:
            break
        count += 1
    return count
