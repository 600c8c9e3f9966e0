"""Canonical records as GraphQL shows them: every field as it was, and no data that breaks a page."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieline import canonical
from tieline.canonical import DocumentKind, to_data
from tieline.ledger.datasets import Dataset, LedgerDocumentKind
from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.documents import LedgerDocument
from tieline_gateway.graphql.ledger.lists import (
    Account,
    Contact,
    PaymentMethod,
    PaymentTerm,
    TaxRate,
    TrackingCategory,
    TrackingValue,
)
from tieline_gateway.graphql.ledger.movements import BankTransfer, Journal
from tieline_gateway.graphql.ledger.payments import Payment
from tieline_gateway.graphql.ledger.settings import (
    BrandingTheme,
    Currency,
    LedgerItem,
    LedgerOrganisation,
    LedgerPreferences,
    TaxAgency,
)
from tieline_gateway.graphql.scalars import SCALARS

SHOWN: dict[Dataset, tuple[type[Any], type[Any]]] = {
    Dataset.ORGANISATION: (canonical.Organisation, LedgerOrganisation),
    Dataset.ACCOUNTS: (canonical.Account, Account),
    Dataset.CONTACTS: (canonical.Contact, Contact),
    Dataset.TAX_RATES: (canonical.TaxRate, TaxRate),
    Dataset.TRACKING_CATEGORIES: (canonical.TrackingCategory, TrackingCategory),
    Dataset.CLASSES: (canonical.TrackingValue, TrackingValue),
    Dataset.DEPARTMENTS: (canonical.TrackingValue, TrackingValue),
    Dataset.PAYMENT_METHODS: (canonical.PaymentMethod, PaymentMethod),
    Dataset.TERMS: (canonical.Term, PaymentTerm),
    Dataset.INVOICES: (canonical.Document, LedgerDocument),
    Dataset.BILLS: (canonical.Document, LedgerDocument),
    Dataset.CREDIT_NOTES: (canonical.Document, LedgerDocument),
    Dataset.SUPPLIER_CREDIT_NOTES: (canonical.Document, LedgerDocument),
    Dataset.SALES_RECEIPTS: (canonical.Document, LedgerDocument),
    Dataset.BANK_TRANSACTIONS: (canonical.BankTransaction, LedgerDocument),
    Dataset.DEPOSITS: (canonical.BankTransaction, LedgerDocument),
    Dataset.PAYMENTS: (canonical.Payment, Payment),
    Dataset.BILL_PAYMENTS: (canonical.Payment, Payment),
    Dataset.PREPAYMENTS: (canonical.Advance, Payment),
    Dataset.OVERPAYMENTS: (canonical.Advance, Payment),
    Dataset.BANK_TRANSFERS: (canonical.BankTransfer, BankTransfer),
    Dataset.JOURNALS: (canonical.Journal, Journal),
    Dataset.ITEMS: (canonical.Item, LedgerItem),
    Dataset.CURRENCIES: (canonical.Currency, Currency),
    Dataset.BRANDING_THEMES: (canonical.BrandingTheme, BrandingTheme),
    Dataset.TAX_AGENCIES: (canonical.TaxAgency, TaxAgency),
    Dataset.PREFERENCES: (canonical.Preferences, LedgerPreferences),
}
KINDS = {
    Dataset.INVOICES: DocumentKind.INVOICE,
    Dataset.BILLS: DocumentKind.BILL,
    Dataset.CREDIT_NOTES: DocumentKind.CREDIT_NOTE,
    Dataset.SUPPLIER_CREDIT_NOTES: DocumentKind.SUPPLIER_CREDIT_NOTE,
    Dataset.SALES_RECEIPTS: DocumentKind.SALES_RECEIPT,
}
ROOT = Path(__file__).parents[2]
AT = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)

texts = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
st.register_type_strategy(Decimal, amounts)
st.register_type_strategy(str, texts)
st.register_type_strategy(int, st.integers(min_value=-(2**31), max_value=2**31 - 1))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
every_dataset = pytest.mark.parametrize("dataset", [*Dataset])


def record(dataset: Dataset, data: Any, **more: Any) -> LedgerRecord:
    row = {"external_id": "x1", "active": True, "updated_at": AT, "currency": "GBP"}
    return LedgerRecord(**{"dataset": dataset, "data": data, **row, **more})


def told(value: Any, original: Any) -> Any:
    """What a GraphQL value says, in the names and forms of the canonical one that it stands for."""
    if isinstance(original, tuple):
        assert len(value) == len(original)
        return tuple(told(one, other) for one, other in zip(value, original, strict=True))
    if is_dataclass(original):
        return {
            field.name: told(
                getattr(value, "external_id" if field.name == "id" else field.name),
                getattr(original, field.name),
            )
            for field in fields(original)
        }
    return value


def wanted(original: Any) -> Any:
    if isinstance(original, tuple):
        return tuple(wanted(one) for one in original)
    if is_dataclass(original):
        return {field.name: wanted(getattr(original, field.name)) for field in fields(original)}
    return original


def test_authors_of_plugins_are_told_of_every_dataset_with_its_record() -> None:
    told, schema = ((ROOT / name).read_text() for name in ("docs/plugin-authors.md", "schema.graphql"))
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|$", told, re.MULTILINE)

    assert {name: record for name, record, _ in rows} == {
        dataset.value: of.__name__ for dataset, (of, _) in SHOWN.items()
    }
    assert {shown for _, _, shown in rows} <= set(re.findall(r"^  (\w+)\($", schema, re.MULTILINE))


@every_dataset
@settings(max_examples=12)
@given(data=st.data())
def test_every_field_of_a_canonical_record_is_shown_as_it_was(dataset: Dataset, data: st.DataObject) -> None:
    of, shown = SHOWN[dataset]
    fixed = {"kind": st.just(KINDS[dataset])} if dataset in KINDS else {}
    original = data.draw(st.builds(of, **fixed))
    stored = json.loads(json.dumps(to_data(original)), parse_float=Decimal, parse_int=Decimal)

    seen = shown.of(record(dataset, stored, external_id=original.id, active=original.active, currency=None))

    assert told(seen, original) == wanted(original)
    assert seen.updated_at == AT


@every_dataset
@settings(max_examples=12)
@given(data=st.dictionaries(st.text(), anything, max_size=4), keys=st.data())
def test_whatever_the_data_is_the_record_is_shown(dataset: Dataset, data: Any, keys: st.DataObject) -> None:
    of, shown = SHOWN[dataset]
    names = [field.name for field in fields(of)]
    data |= keys.draw(st.dictionaries(st.sampled_from(names), anything))

    seen = shown.of(record(dataset, data))

    assert (seen.external_id, seen.active, seen.updated_at) == ("x1", True, AT)


@every_dataset
def test_without_data_a_record_is_its_row_with_nulls_and_empty_lists(dataset: Dataset) -> None:
    seen = SHOWN[dataset][1].of(record(dataset, {}, active=False, currency=None))

    rest = {
        field.name: getattr(seen, field.name)
        for field in fields(seen)
        if field.name not in {"external_id", "active", "updated_at", "kind"}
    }
    assert all(value is None or value == [] for value in rest.values()), rest
    assert seen.active is False


@pytest.mark.parametrize(
    ("dataset", "kind"),
    [
        (Dataset.INVOICES, LedgerDocumentKind.INVOICE),
        (Dataset.BILLS, LedgerDocumentKind.BILL),
        (Dataset.SUPPLIER_CREDIT_NOTES, LedgerDocumentKind.SUPPLIER_CREDIT_NOTE),
        (Dataset.BANK_TRANSACTIONS, LedgerDocumentKind.BANK_TRANSACTION),
        (Dataset.DEPOSITS, LedgerDocumentKind.DEPOSIT),
    ],
)
def test_a_document_is_of_its_datasets_kind_and_in_some_currency(
    dataset: Dataset, kind: LedgerDocumentKind
) -> None:
    own = LedgerDocument.of(record(dataset, {"currency": "EUR", "kind": "CREDIT_NOTE"}))
    the_organisations = LedgerDocument.of(record(dataset, {"currency": None}))

    assert (own.kind, own.currency) == (kind, "EUR")
    assert (the_organisations.kind, the_organisations.currency) == (kind, "GBP")


@pytest.mark.parametrize(
    ("data", "total"),
    [
        ("1.10", Decimal("1.10")),
        (Decimal("1.5"), Decimal("1.5")),
        (Decimal(12), Decimal(12)),
        ("a lot", None),
        ("NaN", None),
        ("1e999999", None),
        ("-1e-999999", None),
        (True, None),
        (["1"], None),
        ({}, None),
    ],
)
def test_an_amount_that_is_none_is_null(data: Any, total: Decimal | None) -> None:
    assert LedgerDocument.of(record(Dataset.BILLS, {"total": data})).total == total


@pytest.mark.parametrize(
    ("data", "days"),
    [
        (Decimal(30), 30),
        ("30", 30),
        (Decimal("30.5"), None),
        (Decimal(2**31), None),
        (True, None),
        ("soon", None),
    ],
)
def test_a_number_of_days_that_is_none_is_null(data: Any, days: int | None) -> None:
    assert PaymentTerm.of(record(Dataset.TERMS, {"due_days": data})).due_days == days


@pytest.mark.parametrize("data", ["2031-05-04T00:00:00", "yesterday", 20310504, None, ["2031-05-04"]])
def test_a_day_that_is_none_is_null(data: Any) -> None:
    assert LedgerDocument.of(record(Dataset.BILLS, {"dated_on": data})).dated_on is None


def test_a_part_of_another_shape_is_null_and_a_list_goes_without_it() -> None:
    data = {
        "contact": "Acme",
        "lines": [None, "x", {"amount": "1.10", "tracking": {"a": 1}}, {"amount": None}],
    }
    seen = LedgerDocument.of(record(Dataset.BILLS, data))

    assert seen.contact is None
    assert [line.amount for line in seen.lines] == [Decimal("1.10"), None]
    assert seen.lines[0].tracking == []


def test_a_bank_transactions_day_is_a_day() -> None:
    assert LedgerDocument.of(record(Dataset.BANK_TRANSACTIONS, {"dated_on": "2031-05-04"})).dated_on == date(
        2031, 5, 4
    )


@pytest.mark.parametrize("text", ["0", "1.10", "0.00000001", "100000000000000000000.0000000001", "-3"])
def test_an_amount_is_written_with_every_digit_and_without_exponent(text: str) -> None:
    scalar = SCALARS[Decimal]
    assert scalar.serialize is not None
    assert scalar.parse_value is not None

    assert scalar.serialize(Decimal(text)) == text
    assert scalar.parse_value(text) == Decimal(text)
