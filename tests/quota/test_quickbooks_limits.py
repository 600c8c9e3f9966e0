"""QuickBooks Online's limits: of each company at any tier, and of the whole app's month where Intuit counts it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tieline.errors import LimitScope
from tieline.plugins.limits import LimitKind
from tieline.quota import Meter
from tieline.quota.calls import Call
from tieline.quota.gate import RESERVE
from tieline_quickbooks.limits import TIERS, limits_of

OF_COMPANY = {
    "concurrent": (LimitScope.ORGANISATION, LimitKind.CONCURRENCY, 10, None),
    "second": (LimitScope.ORGANISATION, LimitKind.RATE, 10, timedelta(seconds=1)),
    "minute": (LimitScope.ORGANISATION, LimitKind.RATE, 500, timedelta(minutes=1)),
}
OF_APP = {"month": (LimitScope.APP, LimitKind.MONTH, 500_000, None)}


@pytest.mark.parametrize(
    ("tier", "limits"),
    [
        (None, OF_COMPANY | OF_APP),
        ("builder", OF_COMPANY | OF_APP),
        ("new one", OF_COMPANY | OF_APP),
        ("silver", OF_COMPANY | OF_APP),
        ("gold", OF_COMPANY | OF_APP),
        ("platinum", OF_COMPANY | OF_APP),
    ],
)
def test_the_month_is_counted_as_the_smallest_tiers_where_nobody_says_more(
    tier: str | None, limits: dict[str, tuple[LimitScope, LimitKind, int, timedelta | None]]
) -> None:
    found = {limit.name: (limit.scope, limit.kind, limit.most, limit.window) for limit in limits_of(tier)}

    assert TIERS[0] == "builder"
    assert found == limits
    assert all(".intuit.com/" in limit.source for limit in limits_of(tier))


def test_after_redis_forgot_a_company_is_in_doubt_for_its_minute_and_not_for_the_apps_month() -> None:
    meter = Meter(provider="quickbooks", client_id="app")

    call = Call.of(meter, "company", limits_of("builder"), reserve=0)

    assert call.doubt() == timedelta(seconds=65)


def test_a_tenth_of_the_month_is_left_to_people_whatever_is_due_or_told() -> None:
    meter = Meter(provider="quickbooks", client_id="app")

    def most(reserve: float) -> dict[str, int]:
        call = Call.of(meter, "company", limits_of("builder"), reserve=reserve)
        return {limit["name"]: limit["most"] for limit in call.asked()["limits"]}

    assert most(0) == {name: figures[2] for name, figures in (OF_COMPANY | OF_APP).items()}
    assert most(RESERVE) == most(0) | {"month": 450_000}


def test_what_is_told_to_be_left_of_a_month_is_less_for_a_call_that_leaves_some_to_others() -> None:
    call = Call.of(
        Meter(provider="quickbooks", client_id="app"), "company", limits_of("builder"), reserve=RESERVE
    )

    assert call.told({"month": 60_000, "minute": 7}) == {"month": 10_000, "minute": 7}
    assert call.told({"month": 40_000}) == {"month": 0}
