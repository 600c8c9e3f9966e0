"""Full records of Xero's documents: what was bought, sold, credited, paid, moved and journalled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.plugins.full_records import Full
from tests.plugins.xero_full_lists import CHANGED

TRACKING = {
    "Tracking": [
        {"TrackingCategoryID": "TC-1", "Name": "Region", "TrackingOptionID": "TO-1", "Option": "North"}
    ]
}
TRACKED = [{"category_id": "tc-1", "category": "Region", "option_id": "to-1", "option": "North"}]
LINES = {
    "LineItems": [
        {
            "LineItemID": "LI-1",
            "Description": "Timber, planed",
            "Quantity": Decimal("3.0000"),
            "UnitAmount": Decimal("12.3456"),
            "DiscountRate": Decimal("2.5"),
            "DiscountAmount": Decimal("0.93"),
            "LineAmount": Decimal("36.11"),
            "TaxType": "INPUT2",
            "TaxAmount": Decimal("7.22"),
            "AccountID": "ACC-429",
            "AccountCode": "429",
            "ItemCode": "TIMBER",
            **TRACKING,
        }
    ]
}
LINES_TOLD = [
    {
        "id": "li-1",
        "description": "Timber, planed",
        "quantity": "3",
        "unit_amount": "12.3456",
        "discount_percent": "2.5",
        "discount_amount": "0.93",
        "amount": "36.11",
        "tax_code": "INPUT2",
        "tax_amount": "7.22",
        "account_id": "acc-429",
        "account_code": "429",
        "item_code": "TIMBER",
        "tracking": TRACKED,
        "item_id": None,
    }
]
COMMON = CHANGED | {
    "Reference": "As agreed",
    "Contact": {"ContactID": "CON-1", "Name": "Timber & Sons"},
    "Date": "/Date(1793664000000+0000)/",
    "CurrencyCode": "EUR",
    "CurrencyRate": Decimal("1.1532000000"),
    "LineAmountTypes": "Inclusive",
    "SubTotal": Decimal("40.01"),
    "TotalTax": Decimal("8.02"),
    "Total": Decimal("48.03"),
    "HasAttachments": True,
    "Status": "AUTHORISED",
    **LINES,
}
COMMON_TOLD: dict[str, Any] = {
    "reference": "As agreed",
    "contact": {"id": "con-1", "name": "Timber & Sons"},
    "dated_on": "2026-11-03",
    "currency": "EUR",
    "currency_rate": "1.1532",
    "tax_basis": "INCLUSIVE",
    "subtotal": "40.01",
    "tax": "8.02",
    "total": "48.03",
    "has_attachments": True,
    "status": "AUTHORISED",
    "active": True,
    "lines": LINES_TOLD,
}
SETTLED = {
    "Allocations": [
        {"IsDeleted": False, "Amount": Decimal("5.05"), "Invoice": {"InvoiceID": "INV-9", "Type": "ACCREC"}}
    ]
}
SETTLED_TOLD = [{"document_id": "inv-9", "type": "ACCREC", "amount": "5.05"}]
DOCUMENT = (
    COMMON
    | SETTLED
    | {
        "DueDate": "/Date(1796256000000+0000)/",
        "FullyPaidOnDate": "/Date(1795996800000+0000)/",
        "AmountPaid": Decimal("30.04"),
        "AmountCredited": Decimal("10.06"),
    }
)
DOCUMENT_TOLD = COMMON_TOLD | {
    "due_on": "2026-12-03",
    "paid_on": "2026-11-30",
    "paid": "30.04",
    "credited": "10.06",
    "due": "7.93",
    "allocations": SETTLED_TOLD,
    "bank_account": None,
    "method_id": None,
}
OTHERS = frozenset({"Invoice", "CreditNote", "Prepayment"})
"""What is settled stands under one of several names, which are tried in turn."""
ATTACHED = {"HasAttachments": "has_attachments"}


def billed(type: str, dataset: str, kind: str) -> Full:
    said = {"InvoiceID": "INV-1", "Type": type, "InvoiceNumber": "N-123", "AmountDue": Decimal("7.93")}
    return Full(
        noun="invoices",
        said=DOCUMENT
        | said
        | {
            "Allocations": [
                {
                    "IsDeleted": False,
                    "Amount": Decimal("5.05"),
                    "CreditNote": {"CreditNoteID": "CN-9", "Type": f"{type}CREDIT"},
                }
            ]
        },
        dataset=dataset,
        name="Timber & Sons",
        code="N-123",
        told=DOCUMENT_TOLD
        | {
            "id": "inv-1",
            "kind": kind,
            "number": "N-123",
            "allocations": [{"document_id": "cn-9", "type": f"{type}CREDIT", "amount": "5.05"}],
        },
        flips=ATTACHED,
        lacks=OTHERS,
    )


def credited(type: str, dataset: str, kind: str) -> Full:
    said = {
        "CreditNoteID": "CN-1",
        "Type": type,
        "CreditNoteNumber": "N-7",
        "RemainingCredit": Decimal("7.93"),
    }
    return Full(
        noun="credit_notes",
        said=DOCUMENT | said,
        dataset=dataset,
        name="Timber & Sons",
        code="N-7",
        told=DOCUMENT_TOLD | {"id": "cn-1", "kind": kind, "number": "N-7"},
        flips=ATTACHED,
    )


def advance(noun: str, id_field: str, type: str, direction: str) -> Full:
    return Full(
        noun=noun,
        said=COMMON
        | SETTLED
        | {id_field: "ADV-1", "Type": type, "RemainingCredit": Decimal("42.98"), "InvoiceNumber": "N-5"},
        dataset=noun,
        name="Timber & Sons",
        code="As agreed",
        told=COMMON_TOLD
        | {"id": "adv-1", "direction": direction, "unallocated": "42.98", "allocations": SETTLED_TOLD},
        flips=ATTACHED,
        instead={"Reference": "InvoiceNumber"},
    )


def payment(type: str, direction: str, settled: str) -> Full:
    """What is settled stands under its own name, and says whose it is and in which currency."""
    return Full(
        noun="payments",
        said=CHANGED
        | {
            "PaymentID": "PAY-1",
            "PaymentType": type,
            "Reference": "By card",
            "Account": {"AccountID": "ACC-90", "Code": "090", "Name": "Bank"},
            "Date": "/Date(1793664000000+0000)/",
            "CurrencyRate": Decimal("1.25"),
            "Amount": Decimal("44.450"),
            "Status": "AUTHORISED",
            settled: {
                f"{settled}ID": "SET-1",
                "Type": "ACCPAY",
                "CurrencyCode": "EUR",
                "Contact": {"ContactID": "CON-1", "Name": "Timber & Sons"},
            },
        },
        dataset="payments",
        name="Timber & Sons",
        code="By card",
        told={
            "id": "pay-1",
            "direction": direction,
            "reference": "By card",
            "contact": {"id": "con-1", "name": "Timber & Sons"},
            "bank_account": {"id": "acc-90", "code": "090", "name": "Bank"},
            "method_id": None,
            "dated_on": "2026-11-03",
            "currency": "EUR",
            "currency_rate": "1.25",
            "total": "44.45",
            "unallocated": None,
            "allocations": [{"document_id": "set-1", "type": "ACCPAY", "amount": "44.45"}],
            "status": "AUTHORISED",
            "active": True,
            "type": type,
        },
        lacks=OTHERS,
    )


DOCUMENTS = [
    billed("ACCREC", "invoices", "INVOICE"),
    billed("ACCPAY", "bills", "BILL"),
    credited("ACCRECCREDIT", "credit_notes", "CREDIT_NOTE"),
    credited("ACCPAYCREDIT", "supplier_credit_notes", "SUPPLIER_CREDIT_NOTE"),
    advance("prepayments", "PrepaymentID", "SPEND-PREPAYMENT", "OUT"),
    advance("overpayments", "OverpaymentID", "RECEIVE-OVERPAYMENT", "IN"),
    payment("ACCPAYPAYMENT", "OUT", "Invoice"),
    payment("ARCREDITPAYMENT", "OUT", "CreditNote"),
    payment("APPREPAYMENTPAYMENT", "IN", "Prepayment"),
    payment("AROVERPAYMENTPAYMENT", "OUT", "Overpayment"),
]
