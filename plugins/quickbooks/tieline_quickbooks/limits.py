"""How much Intuit lets an app ask; its answers say nothing of what is left.

https://developer.intuit.com/app/developer/qbo/docs/learn/limits-and-throttles
https://blogs.intuit.com/2026/01/08/understanding-builder-tier-api-limits — reads of all companies together.
"""

from __future__ import annotations

from datetime import timedelta

from tieline.plugins import Limit, LimitKind, LimitScope

BUILDER, PAID = "builder", "paid"
TIERS = (BUILDER, PAID)
_LIMITS = "https://developer.intuit.com/app/developer/qbo/docs/learn/limits-and-throttles"
_METER = "https://blogs.intuit.com/2026/01/08/understanding-builder-tier-api-limits"
_OF_COMPANY = (
    Limit(
        name="concurrent",
        scope=LimitScope.ORGANISATION,
        kind=LimitKind.CONCURRENCY,
        most=10,
        source="https://blogs.intuit.com/2016/08/08/",
    ),
    Limit(
        name="second",
        scope=LimitScope.ORGANISATION,
        kind=LimitKind.RATE,
        most=10,
        window=timedelta(seconds=1),
        source=_LIMITS,
    ),
    Limit(
        name="minute",
        scope=LimitScope.ORGANISATION,
        kind=LimitKind.RATE,
        most=500,
        window=timedelta(minutes=1),
        source=_LIMITS,
    ),
)
_MONTH = Limit(
    name="month",
    scope=LimitScope.APP,
    kind=LimitKind.RATE,
    most=500_000,
    window=timedelta(days=31),
    source=_METER,
)


def limits_of(tier: str | None) -> tuple[Limit, ...]:
    """Of a tier that is not known, or not told, those of the smallest."""
    return _OF_COMPANY if tier == PAID else (*_OF_COMPANY, _MONTH)
