"""How much time is left between two syncs of what was touched: as much as keeps most of each long limit for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.errors import LimitScope
from tieline.ids import OrganisationId
from tieline.plugins import Limit, LimitKind
from tieline.webhooks.pace import Pace
from tieline_quickbooks.limits import TIERS, limits_of

SPACING = timedelta(seconds=300)
MOMENT = timedelta(seconds=5)


SHARERS = 300
MONTH = timedelta(days=31)


def limit(
    kind: LimitKind,
    most: int,
    scope: LimitScope = LimitScope.ORGANISATION,
    window: timedelta | None = None,
) -> Limit:
    return Limit(name="x", scope=scope, kind=kind, most=most, source="nowhere", window=window)


def rate(most: int, window: timedelta, scope: LimitScope = LimitScope.ORGANISATION) -> Limit:
    return limit(LimitKind.RATE, most, scope, window)


@pytest.mark.parametrize(
    ("limits", "feeds", "between"),
    [
        ([], 3, SPACING),
        ([limit(LimitKind.DAY, 1_000)], 1, SPACING),
        ([limit(LimitKind.DAY, 1_000)], 5, timedelta(seconds=864)),
        ([limit(LimitKind.DAY, 5_000)], 5, SPACING),
        ([limit(LimitKind.DAY, 100)], 1, timedelta(seconds=1_728)),
        ([limit(LimitKind.DAY, 100), limit(LimitKind.DAY, 10)], 1, timedelta(seconds=17_280)),
        ([limit(LimitKind.DAY, 86_400, LimitScope.APP)], 1, timedelta(seconds=600)),
        ([rate(1, timedelta(minutes=1), LimitScope.APP), limit(LimitKind.CONCURRENCY, 1)], 1, SPACING),
        ([rate(6_200, MONTH)], 1, timedelta(seconds=864)),
    ],
)
def test_half_of_a_day_or_a_month_is_the_most_that_webhooks_take(
    limits: list[Limit], feeds: int, between: timedelta
) -> None:
    pace = Pace(debounce=timedelta(seconds=10), spacing=SPACING)
    last = datetime(2026, 5, 4, tzinfo=UTC)

    def following(since: datetime | None, at: datetime) -> datetime:
        return pace.next_sync(since, limits, feeds=feeds, organisations=SHARERS, at=at)

    assert pace.between(limits, feeds=feeds, organisations=SHARERS) == between
    assert following(None, last) == last
    assert following(last, last + MOMENT) == last + between
    assert following(last, last + between * 2) == last + between * 2


@pytest.mark.parametrize("tier", TIERS)
def test_however_many_companies_change_all_the_time_half_of_intuits_month_is_left(tier: str) -> None:
    pace, limits = Pace(debounce=timedelta(seconds=10), spacing=SPACING), limits_of(tier)
    [month] = [each for each in limits if each.name == "month"]

    for companies in (1, 50, 300, 5_000):
        between = pace.between(limits, feeds=1, organisations=companies)
        assert companies * (MONTH / between) <= month.most / 2 + 1


@given(organisation_id=st.uuids())
def test_what_is_told_of_many_at_once_is_spread(organisation_id: UUID) -> None:
    debounce, at = timedelta(seconds=10), datetime(2026, 5, 4, tzinfo=UTC)
    pace = Pace(debounce=debounce, spacing=SPACING)

    due = {
        pace.first_sync(OrganisationId(each), at=at)
        for each in (organisation_id, UUID(int=organisation_id.int ^ 0x8000))
    }

    assert len(due) == 2
    assert all(at + debounce <= each < at + debounce * 2 for each in due)
