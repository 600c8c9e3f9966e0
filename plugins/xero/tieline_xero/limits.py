"""Xero's limits by tier, and what its answers say is left of them.

https://developer.xero.com/documentation/guides/oauth2/limits — per app and organisation, but for one a minute
over all; whether the windows are fixed or slide is told in two ways.
https://developer.xero.com/pricing — the day of the tier Starter is a fifth of the others'.
"""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from tieline.plugins import Limit, LimitKind, LimitScope, Remaining

STARTER = "starter"
TIERS = (STARTER, "core", "plus", "advanced", "enterprise")
_SOURCE = "https://developer.xero.com/documentation/guides/oauth2/limits"
_PRICES = "https://developer.xero.com/pricing"
_MINUTE = timedelta(minutes=1)
_STARTER_DAY, _PAID_DAY = 1_000, 5_000
_HEADERS = {
    "x-daylimit-remaining": "day",
    "x-minlimit-remaining": "minute",
    "x-appminlimit-remaining": "app_minute",
}
_FIGURE = re.compile(r"[0-9]{1,9}")


def limits_of(tier: str | None) -> tuple[Limit, ...]:
    """The limits of a tier; of one that is not known, or not told, those of the smallest."""
    return (
        _of_organisation("concurrent", LimitKind.CONCURRENCY, 5),
        _of_organisation("minute", LimitKind.RATE, 60, window=_MINUTE),
        _of_organisation(
            "day", LimitKind.DAY, _PAID_DAY if tier in TIERS[1:] else _STARTER_DAY, source=_PRICES
        ),
        Limit(
            name="app_minute",
            scope=LimitScope.APP,
            kind=LimitKind.RATE,
            most=10_000,
            window=_MINUTE,
            source=_SOURCE,
        ),
    )


def remaining_of(response: httpx.Response) -> tuple[Remaining, ...]:
    """The figures of those headers that are there and can be read."""
    said = ((name, response.headers.get(header, "").strip()) for header, name in _HEADERS.items())
    return tuple(
        Remaining(limit=name, left=int(figure)) for name, figure in said if _FIGURE.fullmatch(figure)
    )


def _of_organisation(
    name: str, kind: LimitKind, most: int, *, window: timedelta | None = None, source: str = _SOURCE
) -> Limit:
    return Limit(name=name, scope=LimitScope.ORGANISATION, kind=kind, most=most, window=window, source=source)
