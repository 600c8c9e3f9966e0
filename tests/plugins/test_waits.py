"""`Retry-After` in each of its forms."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.plugins import asked_wait, faults
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

AT = "Tue, 03 Nov 2026 09:30:00 GMT"
LATER = "Tue, 03 Nov 2026 09:31:30 GMT"
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "17"}, timedelta(seconds=17)),
        ({"Retry-After": " 66975 "}, timedelta(seconds=66_975)),
        ({"Retry-After": LATER, "Date": AT}, timedelta(seconds=90)),
        ({"Retry-After": "Tuesday, 03-Nov-26 09:31:30 GMT", "Date": AT}, timedelta(seconds=90)),
        ({"Retry-After": AT, "Date": LATER}, timedelta(0)),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT", "Date": AT}, timedelta(days=2)),
        ({"Retry-After": LATER}, None),
        ({"Retry-After": LATER, "Date": "today"}, None),
        ({"Retry-After": "soon", "Date": AT}, None),
        ({"Date": AT}, None),
        ({}, None),
    ],
)
def test_the_wait_is_told_in_seconds_or_by_a_date_of_the_answers_own_clock(
    headers: dict[str, str], wait: timedelta | None
) -> None:
    assert asked_wait(httpx.Headers(headers)) == wait


@pytest.mark.parametrize("provider", [Xero(), QuickBooks()])
def test_both_providers_heed_a_date(provider: Xero | QuickBooks) -> None:
    fault = provider.classify(httpx.Response(429, headers={"Retry-After": LATER, "Date": AT}))

    assert isinstance(fault, faults.Throttled)
    assert fault.retry_after == timedelta(seconds=90)


@given(said=TEXTS, at=TEXTS)
def test_whatever_is_said_is_a_wait_or_none(said: str, at: str) -> None:
    headers = httpx.Headers([(b"Retry-After", said.encode("latin-1")), (b"Date", at.encode("latin-1"))])

    wait = asked_wait(headers)

    assert wait is None or timedelta(0) <= wait <= timedelta(days=2)
