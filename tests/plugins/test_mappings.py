"""Both plugins' mappings over every noun: whatever is said is a record, amounts keep every digit, words pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.variations import Varied, leaves, of_type, varied
from tieline.plugins import Record
from tieline_quickbooks import mapping as quickbooks
from tieline_sandbox.quickbooks import companies
from tieline_sandbox.quickbooks.books.kinds import BY_ENTITY
from tieline_sandbox.quickbooks.books.ledger import books_of
from tieline_sandbox.xero import organisations
from tieline_sandbox.xero.books.kinds import BY_RESOURCE
from tieline_sandbox.xero.books.ledger import ledger_of
from tieline_xero import mapping as xero

Sort: TypeAlias = Callable[[object], object]


class Nouns(dict[str, tuple[Sort, Sequence[Mapping[str, Any]]]]):
    """What sorts each noun's elements, and some that the seed makes."""


RATES = {str(number): {"RateValue": Decimal("6.25")} for number in range(20)}
COMPANY = companies.found("4620816365001", seed="s", name="Ashford Bakery")
AGENCY = quickbooks.Noun(entity="TaxAgency", dataset="tax_agencies", mapped=quickbooks.tax_agency)
CODE = quickbooks.Noun(
    entity="TaxCode", dataset="tax_rates", mapped=partial(quickbooks.tax_code, rates=RATES)
)

NUMBERS = range(12)
"""How many records of each noun the seed is asked for: enough that each is met in several forms."""
AMOUNTS, DAYS = of_type(Decimal), of_type(date)
COMPUTED = {"subtotal", "paid", "percent", "currency_rate"}
"""What Intuit does not tell, and we work out."""


def of_xero() -> Nouns:
    organisation = organisations.found(
        "0f6a7e31-0000-4000-8000-000000000001", seed="s", name="Ashford Bakery"
    )
    ledger, made = ledger_of(organisation), Nouns()
    for name, noun in xero.NOUNS.items():
        kind = BY_RESOURCE.get(noun.collection)
        records = [kind.make(ledger, n) for n in NUMBERS] if kind else [organisations.shown(organisation)]
        made[name] = partial(_xero_sorted, noun), records
    return made


def _xero_sorted(noun: xero.Noun, element: object) -> object:
    return xero.sorted_out(noun, element, "unknown")


def of_quickbooks() -> Nouns:
    books = books_of(COMPANY)
    listed = {
        noun: [BY_ENTITY[noun.entity.lower()].make(books, n) for n in NUMBERS]
        for noun in (*quickbooks.NOUNS, AGENCY, CODE)
    }
    told = companies.preferences(COMPANY)
    mapped = partial(quickbooks.organisation, preferences=told)
    company = quickbooks.Noun(entity="CompanyInfo", dataset="organisation", mapped=mapped)
    preferences = quickbooks.Noun(entity="Preferences", dataset="preferences", mapped=quickbooks.preferences)
    realm = {"Id": COMPANY.realm_id}
    listed |= {company: [companies.info(COMPANY) | realm], preferences: [told | realm]}
    return Nouns(
        (noun.entity, (partial(quickbooks.sorted_out, noun), records)) for noun, records in listed.items()
    )


XERO, QUICKBOOKS = of_xero(), of_quickbooks()
XERO_KEPT = {
    *(noun.id_field for noun in xero.NOUNS.values()),
    *("Type", "UpdatedDateUTC"),
}
"""`Type` says which dataset a document belongs to; without one nobody knows."""
QUICKBOOKS_KEPT = {"Id", "PostingType", "DetailType", "JournalEntryLineDetail"}
"""A journal's line is neither debit nor credit without its `PostingType`."""
thorough = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def read(sort: Sort, given: Varied) -> Mapping[str, Any]:
    """The record that was made of it, whatever stood in it."""
    made = sort(given.entry)
    assert isinstance(made, Record), made
    assert all(date.fromisoformat(day) in given.days for _, day in leaves(made.data, DAYS))
    words = {made.data.get(name) for name in ("status", "type")} - {None, "Deposit"}
    assert words <= given.words | {given.entry.get("Type")}
    return made.data


@pytest.mark.parametrize("name", XERO)
@thorough
@given(data=st.data())
def test_whatever_xero_says_is_a_record_with_its_amounts_days_and_words(name: str, data: Any) -> None:
    sort, records = XERO[name]
    given = data.draw(varied(data.draw(st.sampled_from(records)), XERO_KEPT))

    told = read(sort, given)

    assert {Decimal(amount) for _, amount in leaves(told, AMOUNTS)} <= given.amounts


@pytest.mark.parametrize("name", QUICKBOOKS)
@thorough
@given(data=st.data())
def test_whatever_intuit_says_is_a_record_with_its_amounts_days_and_words(name: str, data: Any) -> None:
    sort, records = QUICKBOOKS[name]
    given = data.draw(varied(data.draw(st.sampled_from(records)), QUICKBOOKS_KEPT))

    told = read(sort, given)

    sent = {abs(Fraction(amount)) for amount in given.amounts} | {Fraction("6.25")}
    assert {abs(Fraction(amount)) for _, amount in leaves(told, AMOUNTS - COMPUTED)} <= sent
    if told.get("subtotal") is not None and told["tax"] is not None:
        assert Fraction(told["subtotal"]) == Fraction(told["total"]) - Fraction(told["tax"])
    if told.get("paid") is not None and told["due"] is not None:
        assert Fraction(told["paid"]) == Fraction(told["total"]) - Fraction(told["due"])


@pytest.mark.parametrize("name", [*XERO, *QUICKBOOKS])
def test_a_record_without_its_id_is_set_aside_and_nothing_is_raised(name: str) -> None:
    sort, records = (XERO | QUICKBOOKS)[name]
    ids = {noun.id_field for noun in xero.NOUNS.values()} | {"Id"}

    made = [sort({field: value for field, value in one.items() if field not in ids}) for one in records]

    assert {type(one).__name__ for one in made} == {"SetAside"}
