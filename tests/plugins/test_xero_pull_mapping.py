"""Xero's records as canonical ones: exact where we know the words, patient where we do not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.xero_records import BILL, record, sort
from tieline.plugins.pull import Record, SetAside
from tieline_xero.mapping import NOUNS, Noun

FIELDS = (
    *(
        "InvoiceID",
        "AccountID",
        "ContactID",
        "OrganisationID",
        "TaxType",
        "TrackingCategoryID",
        "BankTransactionID",
        "CreditNoteID",
        "PaymentID",
        "PrepaymentID",
        "OverpaymentID",
        "BankTransferID",
        "ManualJournalID",
        "ItemID",
        "BrandingThemeID",
    ),
    *("PaymentType", "Amount", "Allocations", "Invoice", "CreditNote", "RemainingCredit", "IsDeleted"),
    *("Account", "FromBankAccount", "ToBankAccount", "JournalLines", "Narration", "LineAmount", "IsBlank"),
    *("SalesDetails", "PurchaseDetails", "IsSold", "UnitPrice", "QuantityOnHand", "SortOrder"),
    *(
        "Type",
        "Status",
        "ContactStatus",
        "Name",
        "Code",
        "Date",
        "DateString",
        "DueDate",
        "UpdatedDateUTC",
        "Total",
    ),
    *(
        "LineItems",
        "Contact",
        "Options",
        "TaxComponents",
        "Addresses",
        "Phones",
        "BankAccount",
        "EffectiveRate",
    ),
    *("Tracking", "PeriodLockDate", "LineAmountTypes", "Quantity", "CurrencyCode", "APIKey"),
)
WORDS = st.sampled_from(
    [
        "ACCPAY",
        "ACCREC",
        "ACCPAYCREDIT",
        "SPEND",
        "ACTIVE",
        "DELETED",
        "VOIDED",
        "/Date(1419937200000+0000)/",
        "2026-11-03",
        "",
    ]
)
ANYTHING = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=15,
)
ENTRIES = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=12)


def test_a_bill_with_every_amount() -> None:
    found = record("invoices", **BILL)

    assert (found.dataset, found.external_id) == ("bills", "0f6a7e31-0000-4000-8000-000000000001")
    assert (found.name, found.code, found.active) == ("Timber & Sons", "SUP-123", True)
    assert found.updated_at == datetime(2026, 11, 3, 10, 0, 0, 123_000, UTC)
    assert found.data == {
        "id": "0f6a7e31-0000-4000-8000-000000000001",
        "kind": "BILL",
        "number": "SUP-123",
        "reference": None,
        "contact": {"id": "c1", "name": "Timber & Sons"},
        "dated_on": "2026-11-03",
        "due_on": "2026-12-03",
        "paid_on": None,
        "currency": "GBP",
        "currency_rate": "1",
        "tax_basis": "EXCLUSIVE",
        "subtotal": "37.04",
        "tax": "7.41",
        "total": "44.45",
        "paid": "0",
        "credited": "0",
        "due": "44.45",
        "has_attachments": True,
        "status": "AUTHORISED",
        "active": True,
        "lines": [
            {
                "id": "l1",
                "description": "Timber, planed",
                "quantity": "3",
                "unit_amount": "12.3456",
                "discount_percent": None,
                "discount_amount": None,
                "amount": "37.04",
                "tax_code": "INPUT2",
                "tax_amount": "7.41",
                "account_id": "a429",
                "account_code": "429",
                "item_code": None,
                "item_id": None,
                "tracking": [
                    {"category_id": "t1", "category": "Region", "option_id": "o1", "option": "North"}
                ],
            }
        ],
        "allocations": [],
        "bank_account": None,
        "method_id": None,
    }


def test_one_endpoint_fills_invoices_and_bills() -> None:
    assert record("invoices", **BILL | {"Type": "ACCREC"}).dataset == "invoices"
    assert sort("invoices", BILL | {"Type": "ACCPAYCREDIT"}) == SetAside(
        dataset="invoices",
        external_id="0f6a7e31-0000-4000-8000-000000000001",
        why="Its Type is neither an invoice nor a bill.",
    )


def test_deleted_is_gone_and_voided_stays_with_its_status() -> None:
    voided = record("invoices", **BILL | {"Status": "VOIDED"})

    assert sort("invoices", BILL | {"Status": "DELETED"}) == ("bills", "0f6a7e31-0000-4000-8000-000000000001")
    assert (voided.active, voided.data["status"]) == (False, "VOIDED")
    assert sort("accounts", {"AccountID": "a", "Status": "DELETED"}) == ("accounts", "a")


def test_what_was_deleted_need_not_be_readable_otherwise() -> None:
    assert sort("bank_transactions", {"BankTransactionID": "b", "Status": "DELETED", "Total": "?"}) == (
        "bank_transactions",
        "b",
    )


@pytest.mark.parametrize(
    ("dataset", "entry"),
    [
        ("accounts", {"AccountID": "a", "Status": "ARCHIVED"}),
        ("contacts", {"ContactID": "c", "ContactStatus": "ARCHIVED"}),
        ("contacts", {"ContactID": "c", "ContactStatus": "GDPRREQUEST"}),
        ("tax_rates", {"TaxType": "TAX001", "Status": "PENDING"}),
        ("tracking_categories", {"TrackingCategoryID": "t", "Status": "ARCHIVED"}),
        ("accounts", {"AccountID": "a", "Status": "HIBERNATING"}),
    ],
)
def test_only_what_is_active_may_be_booked_to(dataset: str, entry: dict[str, Any]) -> None:
    assert record(dataset, **entry).active is False


def test_words_that_nobody_has_heard_of_pass_through() -> None:
    organisation = record("organisation", OrganisationID="o", Class="GALACTIC", BaseCurrency="XQZ")
    transaction = record("bank_transactions", BankTransactionID="b", Type="LEND", LineAmountTypes="Sideways")

    assert (organisation.data["edition"], organisation.data["currency"]) == ("GALACTIC", "XQZ")
    assert (transaction.data["type"], transaction.data["direction"]) == ("LEND", None)
    assert transaction.data["tax_basis"] == "Sideways"


@pytest.mark.parametrize(
    ("type_", "direction"),
    [("SPEND", "OUT"), ("RECEIVE", "IN"), ("SPEND-TRANSFER", "OUT"), ("RECEIVE-PREPAYMENT", "IN")],
)
def test_money_comes_in_or_goes_out(type_: str, direction: str) -> None:
    assert record("bank_transactions", BankTransactionID="b", Type=type_).data["direction"] == direction


def test_the_key_of_an_organisation_is_never_kept() -> None:
    found = record(
        "organisation", OrganisationID="o", Name="Ashford", APIKey="SECRET-KEY-7", ShortCode="!s3cr"
    )

    assert "SECRET-KEY-7" not in json.dumps(found.data)
    assert "SECRET-KEY-7" not in repr(found)


def test_an_organisation_with_its_locks() -> None:
    found = record(
        "organisation",
        OrganisationID="o",
        Name="Ashford",
        LegalName="Ashford Bakery Ltd",
        PeriodLockDate="/Date(1767139200000+0000)/",
        EndOfYearLockDate="/Date(1743379200000+1300)/",
        OrganisationStatus="ACTIVE",
        FinancialYearEndDay=31,
        FinancialYearEndMonth=3,
    )

    assert (found.data["locked_until"], found.data["closed_until"]) == ("2025-12-31", "2025-03-31")
    assert (found.data["year_end_day"], found.data["year_end_month"], found.active) == (31, 3, True)


def test_a_contact_without_its_empty_addresses_and_phones() -> None:
    found = record(
        "contacts",
        ContactID="C1",
        Name="Ada",
        ContactNumber="N7",
        ContactStatus="ACTIVE",
        IsSupplier=True,
        MergedToContactID="C2",
        Addresses=[{"AddressType": "STREET", "City": ""}, {"AddressType": "POBOX", "AddressLine1": "1 Mill"}],
        Phones=[
            {"PhoneType": "FAX", "PhoneNumber": ""},
            {"PhoneType": "DEFAULT", "PhoneNumber": "555", "PhoneAreaCode": "020"},
        ],
    )

    assert (found.code, found.data["is_supplier"], found.data["merged_into_id"]) == ("N7", True, "c2")
    assert found.data["phones"] == [{"type": "DEFAULT", "number": "020 555"}]
    addresses = found.data["addresses"]
    assert isinstance(addresses, list)
    assert [one["lines"] for one in addresses if isinstance(one, dict)] == [["1 Mill"]]


def test_a_tax_rate_and_what_it_applies_to() -> None:
    found = record(
        "tax_rates",
        TaxType="INPUT2",
        Name="20% (VAT on Expenses)",
        EffectiveRate=Decimal("20.0000"),
        CanApplyToExpenses=True,
        CanApplyToAssets=True,
        TaxComponents=[{"Name": "VAT", "Rate": 20, "IsNonRecoverable": True}],
        Status="ACTIVE",
    )

    assert (found.external_id, found.code) == ("INPUT2", "INPUT2")
    assert found.data["applies_to"] == ["ASSET", "EXPENSE"]
    assert found.data["percent"] == "20"
    assert found.data["components"] == [
        {"name": "VAT", "percent": "20", "is_compound": False, "is_recoverable": False}
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"InvoiceID": None}, "It has no InvoiceID."),
        ({"InvoiceID": "x" * 201}, "It has no InvoiceID."),
        ({"Total": "a lot"}, "Its Total is no amount."),
        ({"Date": "soon", "DateString": "sooner"}, "Its Date is no day."),
        ({"UpdatedDateUTC": "just now"}, "Its UpdatedDateUTC is no time."),
        ({"LineItems": [{"TaxAmount": True}]}, "Its TaxAmount is no amount."),
        ({"LineItems": ["a line"]}, "Its LineItems are no list of objects."),
        ({"Contact": "Ada"}, "Its Contact is no object."),
    ],
)
def test_one_that_cannot_be_read_is_set_aside_with_a_sentence(change: dict[str, Any], why: str) -> None:
    found = sort("invoices", BILL | change)

    assert isinstance(found, SetAside)
    assert found.why == why


@pytest.mark.parametrize("element", [None, 7, "bill", [], [BILL]])
def test_an_element_that_is_no_object_is_set_aside(element: object) -> None:
    assert sort("contacts", element) == SetAside(dataset="contacts", external_id="", why="It is no object.")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(NOUNS)), ENTRIES)
def test_anything_is_a_record_or_gone_or_set_aside(dataset: str, entry: dict[str, Any]) -> None:
    found = sort(dataset, entry)

    assert isinstance(found, Record | SetAside | tuple)
    if isinstance(found, Record):
        assert found.external_id
        assert json.loads(json.dumps(found.data, ensure_ascii=False).encode()) == found.data


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(NOUNS)), ENTRIES)
def test_what_has_an_id_and_nothing_unreadable_is_never_lost(dataset: str, entry: dict[str, Any]) -> None:
    """Fields of no amount, date or part may hold whatever they like."""
    noun: Noun = NOUNS[dataset]
    harmless = {
        name: value for name, value in entry.items() if name in {"Name", "Code", "CurrencyCode", "APIKey"}
    }

    type_ = "ACCRECCREDIT" if dataset == "credit_notes" else "ACCREC"
    assert isinstance(sort(dataset, {"Type": type_, **harmless, noun.id_field: "an id"}), Record)
