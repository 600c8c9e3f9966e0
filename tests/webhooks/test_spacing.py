"""How much time is left between two syncs of what was touched: as much as keeps most of each long limit for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tieline.errors import LimitScope
from tieline.plugins import Limit, LimitKind
from tieline.webhooks.pace import Pace

SPACING = timedelta(seconds=300)
MOMENT = timedelta(seconds=5)


def limit(kind: LimitKind, most: int, scope: LimitScope = LimitScope.ORGANISATION) -> Limit:
    window = timedelta(minutes=1) if kind is LimitKind.RATE else None
    return Limit(name="x", scope=scope, kind=kind, most=most, source="nowhere", window=window)


@pytest.mark.parametrize(
    ("limits", "feeds", "between"),
    [
        ([], 3, SPACING),
        ([limit(LimitKind.DAY, 1_000)], 1, SPACING),
        ([limit(LimitKind.DAY, 1_000)], 5, timedelta(seconds=864)),
        ([limit(LimitKind.DAY, 5_000)], 5, SPACING),
        ([limit(LimitKind.DAY, 100)], 1, timedelta(seconds=1_728)),
        ([limit(LimitKind.DAY, 100, LimitScope.APP), limit(LimitKind.RATE, 1)], 1, SPACING),
        ([limit(LimitKind.DAY, 100), limit(LimitKind.DAY, 10)], 1, timedelta(seconds=17_280)),
    ],
)
def test_half_of_an_organisations_day_is_the_most_that_webhooks_take(
    limits: list[Limit], feeds: int, between: timedelta
) -> None:
    pace = Pace(debounce=timedelta(seconds=10), spacing=SPACING)
    last = datetime(2026, 5, 4, tzinfo=UTC)

    assert pace.between(limits, feeds=feeds) == between
    assert pace.next_sync(None, limits, feeds=feeds, at=last) == last
    assert pace.next_sync(last, limits, feeds=feeds, at=last + MOMENT) == last + between
    assert pace.next_sync(last, limits, feeds=feeds, at=last + between * 2) == last + between * 2
