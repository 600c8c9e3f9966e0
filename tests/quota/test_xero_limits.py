"""Xero's limits: by tier, with their sources, and the figures that its answers bring."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tieline.errors import LimitScope
from tieline.plugins.limits import LimitKind, Remaining
from tieline_xero.limits import TIERS, limits_of, remaining_of


@pytest.mark.parametrize(
    ("tier", "day"),
    [
        (None, 1_000),
        ("starter", 1_000),
        ("core", 5_000),
        ("plus", 5_000),
        ("advanced", 5_000),
        ("enterprise", 5_000),
        ("new one", 1_000),
    ],
)
def test_an_unknown_tier_has_the_smallest_day(tier: str | None, day: int) -> None:
    found = {limit.name: (limit.scope, limit.kind, limit.most, limit.window) for limit in limits_of(tier)}

    minute = timedelta(minutes=1)
    assert TIERS[0] == "starter"
    assert found == {
        "concurrent": (LimitScope.ORGANISATION, LimitKind.CONCURRENCY, 5, None),
        "minute": (LimitScope.ORGANISATION, LimitKind.RATE, 60, minute),
        "day": (LimitScope.ORGANISATION, LimitKind.DAY, day, None),
        "app_minute": (LimitScope.APP, LimitKind.RATE, 10_000, minute),
    }
    assert all(limit.source.startswith("https://developer.xero.com/") for limit in limits_of(tier))


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, {}),
        (
            {"X-DayLimit-Remaining": "4999", "x-minlimit-remaining": " 59 ", "X-AppMinLimit-Remaining": "0"},
            {"day": 4999, "minute": 59, "app_minute": 0},
        ),
        ({"X-DayLimit-Remaining": "-1", "X-MinLimit-Remaining": "many", "X-AppMinLimit-Remaining": ""}, {}),
        ({"X-DayLimit-Remaining": "99999999999999999999"}, {}),
    ],
)
def test_only_figures_that_can_be_read_count(headers: dict[str, str], left: dict[str, int]) -> None:
    response = httpx.Response(200, headers=headers)

    assert remaining_of(response) == tuple(
        Remaining(limit=name, left=figure) for name, figure in left.items()
    )
