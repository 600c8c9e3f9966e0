"""Xero's dates and amounts, read as they are meant: never a day off, never a digit lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline_xero.wire import Unreadable, amount, day, guid, instant, part, parts, text, whole

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.sampled_from(["", "+0000", "+1300", "-0800", "+0545"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dates(), OFFSETS)
def test_a_day_is_read_off_in_utc_whatever_offset_is_written_behind_it(on: date, offset: str) -> None:
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC)
    ms = (midnight - EPOCH) // timedelta(milliseconds=1)

    assert day({"Date": f"/Date({ms}{offset})/"}, "Date") == on


@given(st.dates(), st.integers(-10_000_000_000, 10_000_000_000))
def test_the_twin_in_words_is_believed_before_the_milliseconds(on: date, ms: int) -> None:
    entry = {"DueDate": f"/Date({ms}+0000)/", "DueDateString": f"{on.isoformat()}T00:00:00"}

    assert day(entry, "DueDate") == on


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), OFFSETS)  # noqa: DTZ001 - UTC comes below
def test_an_instant_does_not_depend_on_the_offset(at: datetime, offset: str) -> None:
    at = at.replace(tzinfo=UTC, microsecond=at.microsecond // 1000 * 1000)
    ms = (at - EPOCH) // timedelta(milliseconds=1)

    assert instant({"UpdatedDateUTC": f"/Date({ms}{offset})/"}, "UpdatedDateUTC") == at


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/Date(1439434356790)/", datetime(2015, 8, 13, 2, 52, 36, 790_000, UTC)),
        ("/Date(1419937200000+0000)/", datetime(2014, 12, 30, 11, 0, tzinfo=UTC)),
        ("/Date(-62135596800000)/", datetime(1, 1, 1, tzinfo=UTC)),
        ("/Date(-1000+0000)/", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("/Date(0+0000)/", EPOCH),
        ("2026-11-03T09:30:00", datetime(2026, 11, 3, 9, 30, tzinfo=UTC)),
        ("2026-11-03T09:30:00Z", datetime(2026, 11, 3, 9, 30, tzinfo=UTC)),
        ("2026-11-03T09:30:00.1234567", datetime(2026, 11, 3, 9, 30, 0, 123_456, UTC)),
        ("2026-11-03T09:30:00+13:00", datetime(2026, 11, 2, 20, 30, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_instants_as_xero_writes_them(written: str | None, meant: datetime | None) -> None:
    assert instant({"At": written}, "At") == meant


def test_a_day_in_words_is_not_moved_into_another_zone() -> None:
    assert day({"Date": "2026-11-03T00:00:00+13:00"}, "Date") == date(2026, 11, 3)
    assert day({"DateString": "2026-11-03T00:00:00"}, "Date") == date(2026, 11, 3)
    assert day({}, "Date") is None


@pytest.mark.parametrize(
    "written", ["soon", "/Date()/", "/Date(9999999999999999)/", "/Date(1.5)/", 7, True, [], {}, "2026-02-30"]
)
def test_what_is_no_date_says_so(written: object) -> None:
    with pytest.raises(Unreadable, match=r"^Its Date is no day\.$"):
        day({"Date": written}, "Date")
    with pytest.raises(Unreadable, match=r"^Its Date is no time\.$"):
        instant({"Date": written, "DateString": "no better"}, "Date")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_an_amount_has_every_digit_that_stood_in_the_json(value: Decimal) -> None:
    sent = json.loads(f'{{"Total": {value}}}', parse_float=Decimal)

    assert str(amount(sent, "Total")) == str(value)


@pytest.mark.parametrize("value", [0, -7, 10**20, Decimal("0.0001"), "12.50", "-3"])
def test_amounts_may_be_whole_or_text(value: Any) -> None:
    assert amount({"Total": value}, "Total") == Decimal(value)


@pytest.mark.parametrize("value", [None, ""])
def test_no_amount_is_not_nothing(value: object) -> None:
    assert amount({"Total": value}, "Total") is None


@pytest.mark.parametrize(
    "value",
    [
        *("twelve", "1,000.00", "1e5", "0x10", " 1", True, [], {}, 1.5),
        *(Decimal("NaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999"), 10**40),
    ],
)
def test_what_is_no_amount_says_so(value: object) -> None:
    with pytest.raises(Unreadable, match=r"^Its Total is no amount\.$"):
        amount({"Total": value}, "Total")


@given(ANYTHING)
def test_reading_anything_gives_a_value_or_unreadable(value: object) -> None:
    for read in (amount, day, guid, instant, part, parts, text, whole):
        try:
            read({"Field": value}, "Field")
        except Unreadable as why:
            assert str(why).startswith("Its Field ")  # noqa: PT017 - either way is fine, but for the sentence


def test_text_is_trimmed_and_nothing_is_none() -> None:
    assert text({"Name": "  Ashford  Bakery "}, "Name") == "Ashford  Bakery"
    assert text({"Code": 200}, "Code") == "200"
    assert text({"Name": " "}, "Name") is None
    assert text({"Name": ["a"]}, "Name") is None
    assert text({"Name": True}, "Name") is None
    assert text({"Name": "a\x00\ud800"}, "Name") == "a\ufffd"


def test_ids_meet_in_one_case_and_the_id_of_nothing_is_none() -> None:
    assert guid({"ID": "ABC-1"}, "ID") == "abc-1"
    assert guid({"ID": "00000000-0000-0000-0000-000000000000"}, "ID") is None


def test_parts_are_all_there_or_the_record_is_unreadable() -> None:
    assert parts({"LineItems": [{"a": 1}]}, "LineItems") == [{"a": 1}]
    assert parts({}, "LineItems") == []
    with pytest.raises(Unreadable):
        parts({"LineItems": [{"a": 1}, "b"]}, "LineItems")
    with pytest.raises(Unreadable):
        part({"Contact": "Ada"}, "Contact")
