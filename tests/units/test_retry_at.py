"""Every refusal that passes by itself says from when on the same may be sent again; no other does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tieline.errors import (
    BeingGivenBack,
    Busy,
    ConsentGone,
    LimitScope,
    NotFound,
    ProviderBroken,
    ProviderUnavailable,
    QuotaSpent,
    Throttled,
    TielineError,
    Unavailable,
)

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
NOON = NOW + timedelta(hours=2)


def throttled(retry_after: timedelta | None) -> Throttled:
    return Throttled("xero", limit="minute", scope=LimitScope.ORGANISATION, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "at"),
    [
        (QuotaSpent("xero", limit="day", resume_at=NOON), NOON),
        (throttled(timedelta(seconds=40)), NOW + timedelta(seconds=40)),
        (Busy(), NOW + timedelta(seconds=1)),
        (BeingGivenBack(), NOW + timedelta(minutes=1)),
    ],
    ids=repr,
)
def test_what_is_over_at_an_instant_names_it(error: TielineError, at: datetime) -> None:
    assert error.retry_at(NOW) == at


@pytest.mark.parametrize(
    "error",
    [
        throttled(None),
        Unavailable(),
        ProviderUnavailable("xero"),
        ProviderBroken("xero", "no name"),
        ConsentGone("xero"),
        NotFound("client", "42"),
    ],
    ids=repr,
)
def test_where_nobody_knows_when_or_waiting_is_of_no_use_there_is_none(error: TielineError) -> None:
    assert error.retry_at(NOW) is None
