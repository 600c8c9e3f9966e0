"""Credit notes, payments, advances, transfers, journals and items of Xero's as canonical records."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.plugins.xero_records import BILL, record, sort

CREDIT = {
    **{name: value for name, value in BILL.items() if not name.startswith(("Amount", "Invoice", "Due"))},
    "Type": "ACCPAYCREDIT",
    "CreditNoteID": "CN1",
    "CreditNoteNumber": "SCN-7",
    "RemainingCredit": Decimal("4.45"),
    "Allocations": [
        {"Amount": Decimal("40.00"), "Invoice": {"InvoiceID": "I1", "Type": "ACCPAY"}},
        {"Amount": Decimal("9.00"), "IsDeleted": True, "Invoice": {"InvoiceID": "I2"}},
    ],
}


@pytest.mark.parametrize(
    ("type_", "dataset", "kind"),
    [
        ("ACCPAYCREDIT", "supplier_credit_notes", "SUPPLIER_CREDIT_NOTE"),
        ("ACCRECCREDIT", "credit_notes", "CREDIT_NOTE"),
    ],
)
def test_a_credit_note_with_what_it_settled_and_what_is_left(type_: str, dataset: str, kind: str) -> None:
    found = record("credit_notes", **CREDIT | {"Type": type_})

    assert (found.dataset, found.name, found.code) == (dataset, "Timber & Sons", "SCN-7")
    assert (found.data["kind"], found.data["number"], found.data["due"]) == (kind, "SCN-7", "4.45")
    assert (found.data["total"], found.data["paid"], found.data["due_on"]) == ("44.45", None, None)
    assert found.data["allocations"] == [{"document_id": "i1", "type": "ACCPAY", "amount": "40"}]


def test_a_credit_note_of_no_known_type_is_set_aside() -> None:
    found = sort("credit_notes", CREDIT | {"Type": "ACCPAY"})

    assert found.why == "Its Type is neither a customer's nor a supplier's credit note."


PAYMENT = {
    "PaymentID": "P1",
    "PaymentType": "ACCPAYPAYMENT",
    "Date": "/Date(1793664000000+0000)/",
    "Amount": Decimal("44.450"),
    "BankAmount": Decimal("38.55"),
    "CurrencyRate": Decimal("1.1532"),
    "Reference": "Transfer 1",
    "Status": "AUTHORISED",
    "Account": {"AccountID": "A90", "Code": "090"},
    "Invoice": {
        "InvoiceID": "I1",
        "Type": "ACCPAY",
        "CurrencyCode": "EUR",
        "Contact": {"ContactID": "C1", "Name": "Timber & Sons"},
    },
}


def test_a_payment_and_the_document_that_it_settles() -> None:
    found = record("payments", **PAYMENT)

    assert (found.name, found.code, found.active) == ("Timber & Sons", "Transfer 1", True)
    assert found.data == {
        "id": "p1",
        "direction": "OUT",
        "reference": "Transfer 1",
        "contact": {"id": "c1", "name": "Timber & Sons"},
        "bank_account": {"id": "a90", "code": "090", "name": None},
        "method_id": None,
        "dated_on": "2026-11-03",
        "currency": "EUR",
        "currency_rate": "1.1532",
        "total": "44.45",
        "unallocated": None,
        "allocations": [{"document_id": "i1", "type": "ACCPAY", "amount": "44.45"}],
        "status": "AUTHORISED",
        "active": True,
        "type": "ACCPAYPAYMENT",
    }


@pytest.mark.parametrize(
    ("type_", "direction"),
    [
        ("ACCRECPAYMENT", "IN"),
        ("ACCPAYPAYMENT", "OUT"),
        ("ARCREDITPAYMENT", "OUT"),
        ("APCREDITPAYMENT", "IN"),
        ("ARPREPAYMENTPAYMENT", "OUT"),
        ("APPREPAYMENTPAYMENT", "IN"),
        ("AROVERPAYMENTPAYMENT", "OUT"),
        ("APOVERPAYMENTPAYMENT", "IN"),
        ("BARTERPAYMENT", None),
    ],
)
def test_what_is_paid_back_goes_the_other_way(type_: str, direction: str | None) -> None:
    made = record("payments", PaymentID="p", PaymentType=type_).data

    assert (made["type"], made["direction"]) == (type_, direction)


def test_a_payment_of_something_else_names_it() -> None:
    found = record("payments", PaymentID="p", Amount=5, Overpayment={"OverpaymentID": "O1"})

    assert found.data["allocations"] == [{"document_id": "o1", "type": "Overpayment", "amount": "5"}]


@pytest.mark.parametrize(
    ("type_", "direction"),
    [
        ("RECEIVE-PREPAYMENT", "IN"),
        ("SPEND-PREPAYMENT", "OUT"),
        ("ARPREPAYMENT", "IN"),
        ("APPREPAYMENT", "OUT"),
        ("ON-ACCOUNT", None),
    ],
)
def test_money_paid_ahead_and_how_much_of_it_is_left(type_: str, direction: str | None) -> None:
    found = record(
        "prepayments",
        PrepaymentID="P1",
        Type=type_,
        InvoiceNumber="INV-1",
        Total=Decimal("10.00"),
        RemainingCredit=Decimal("2.50"),
        Allocations=[{"Amount": Decimal("7.50"), "Invoice": {"InvoiceID": "I1"}}],
    )

    assert (found.dataset, found.code, found.data["direction"]) == ("prepayments", "INV-1", direction)
    assert (found.data["total"], found.data["unallocated"]) == ("10", "2.5")
    assert found.data["allocations"] == [{"document_id": "i1", "type": "Invoice", "amount": "7.5"}]


def test_a_transfer_with_both_its_ends() -> None:
    found = record(
        "bank_transfers",
        BankTransferID="T1",
        FromBankAccount={"AccountID": "A1", "Code": "090", "CurrencyCode": "EUR"},
        ToBankAccount={"AccountID": "A2", "Name": "Savings"},
        Amount=Decimal("20.00"),
        Date="/Date(1478985000000+0000)/",
        DateString="2016-11-12T21:10:00",
        CreatedDateUTC="/Date(1476737161140+0000)/",
        Status="AUTHORISED",
    )

    assert (found.name, found.updated_at) == (None, None)
    assert (found.data["amount"], found.data["currency"], found.data["dated_on"]) == (
        "20",
        "EUR",
        "2016-11-12",
    )
    assert found.data["from_account"] == {"id": "a1", "code": "090", "name": None}
    assert found.data["to_account"] == {"id": "a2", "code": None, "name": "Savings"}


@pytest.mark.parametrize(
    ("status", "active"),
    [("POSTED", True), ("DRAFT", True), ("VOIDED", False), ("ARCHIVED", False), ("PENDING", True)],
)
def test_a_journal_of_debits_and_credits(status: str, *, active: bool) -> None:
    found = record(
        "journals",
        ManualJournalID="J1",
        Narration="Accrued wages",
        Date="/Date(1793664000000+0000)/",
        LineAmountTypes="NoTax",
        Status=status,
        JournalLines=[
            {"LineAmount": Decimal("100.00"), "AccountCode": "477", "TaxType": "NONE"},
            {"LineAmount": Decimal("-100.00"), "AccountID": "A814"},
            {"IsBlank": True},
        ],
    )

    assert (found.name, found.active, found.data["tax_basis"]) == ("Accrued wages", active, "NO_TAX")
    lines: Any = found.data["lines"]
    assert [(line["amount"], line["account_code"], line["account_id"]) for line in lines] == [
        ("100", "477", None),
        ("-100", None, "a814"),
    ]


def test_an_item_that_is_only_bought() -> None:
    found = record(
        "items",
        ItemID="I1",
        Code="FLOUR",
        Name="Flour",
        IsSold=False,
        IsPurchased=True,
        Description="Sold by the bag",
        PurchaseDescription="25 kg",
        SalesDetails={},
        PurchaseDetails={"UnitPrice": Decimal("12.3450"), "COGSAccountCode": "310", "TaxType": "INPUT2"},
        IsTrackedAsInventory=True,
        InventoryAssetAccountCode="630",
        QuantityOnHand=Decimal("7.0"),
    )

    assert (found.name, found.code, found.active, found.data["sale"]) == ("Flour", "FLOUR", True, None)
    assert found.data["purchase"] == {
        "description": "25 kg",
        "unit_price": "12.345",
        "account_id": None,
        "account_code": "310",
        "tax_code": "INPUT2",
    }
    assert (found.data["is_tracked"], found.data["quantity"]) == (True, "7")
    assert found.data["stock_account_code"] == "630"


def test_currencies_are_known_by_their_code_and_themes_by_their_place() -> None:
    currency = record("currencies", Code="NZD", Description="New Zealand Dollar")
    theme = record("branding_themes", BrandingThemeID="B1", Name="Standard", SortOrder=0)

    assert (currency.external_id, currency.code, currency.name) == ("NZD", "NZD", "New Zealand Dollar")
    assert (currency.active, theme.active) == (True, True)
    assert (theme.external_id, theme.name, theme.data["position"]) == ("b1", "Standard", 0)
