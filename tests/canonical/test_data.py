"""Canonical records as JSON: exact, of one form for one value, and such as a database can keep."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.canonical import TaxBasis, TaxComponent, TaxRate, storable, to_data

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
RATE = TaxRate(
    id="INPUT2",
    code="INPUT2",
    name="20% (VAT on Expenses)",
    percent=Decimal("20.00"),
    applies_to=("EXPENSE",),
    report_code=None,
    components=(
        TaxComponent(name="VAT", percent=Decimal("17.5000"), is_compound=False, is_recoverable=True),
    ),
    status="ACTIVE",
    active=True,
)


@dataclass(frozen=True)
class Holder:
    value: Any


def written(value: Any) -> Any:
    return to_data(Holder(value))["value"]


def test_a_record_becomes_its_fields_with_those_of_its_parts() -> None:
    assert to_data(RATE) == {
        "id": "INPUT2",
        "code": "INPUT2",
        "name": "20% (VAT on Expenses)",
        "percent": "20",
        "applies_to": ["EXPENSE"],
        "report_code": None,
        "components": [{"name": "VAT", "percent": "17.5", "is_compound": False, "is_recoverable": True}],
        "status": "ACTIVE",
        "active": True,
    }


@given(AMOUNTS)
def test_an_amount_keeps_every_digit_and_no_exponent(amount: Decimal) -> None:
    text = written(amount)

    assert Decimal(text) == amount
    assert set(text) <= set("-0123456789.")


@given(AMOUNTS, st.integers(0, 6))
def test_one_amount_has_one_form_however_many_zeros_were_sent(amount: Decimal, zeros: int) -> None:
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)

    assert written(amount) == written(Decimal((sign, (*digits, *(0,) * zeros), exponent - zeros)))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.00", "0"),
        ("-0", "0"),
        ("1E+3", "1000"),
        ("120", "120"),
        ("-12.3400", "-12.34"),
        ("1E-7", "0.0000001"),
    ],
)
def test_amounts_as_people_write_them(amount: str, text: str) -> None:
    assert written(Decimal(amount)) == text


def test_days_stay_days_and_instants_are_utc() -> None:
    eastern = datetime(2026, 11, 3, 9, 30, tzinfo=timezone(timedelta(hours=13)))

    assert written(date(2026, 11, 3)) == "2026-11-03"
    assert written(eastern) == "2026-11-02T20:30:00+00:00"


def test_our_own_words_become_plain_text() -> None:
    assert type(written(TaxBasis.NO_TAX)) is str
    assert written(TaxBasis.NO_TAX) == "NO_TAX"


@pytest.mark.parametrize("value", [0.1, b"", {"a": 1}, object()])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        written(value)


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_what_is_no_number_is_no_amount(amount: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        written(Decimal(amount))


@given(st.text(st.characters(codec=None), max_size=20))
def test_any_text_can_be_kept(text: str) -> None:
    kept = storable(text)

    assert "\x00" not in kept
    assert kept.encode().decode() == kept
    assert storable(kept) == kept


def test_texts_are_made_storable_on_the_way() -> None:
    data = to_data(replace(RATE, name="a\x00b\ud800c"))

    assert data["name"] == "ab\ufffdc"
    assert json.dumps(data, ensure_ascii=False).encode()
