"""Full records of Intuit's bills, invoices, credits and sales receipts, and what all transactions say alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.plugins.full_records import Full
from tests.plugins.quickbooks_full_lists import CHANGED

TRANSACTION = CHANGED | {
    "TxnDate": "2026-11-03",
    "CurrencyRef": {"value": "EUR"},
    "ExchangeRate": Decimal("1.25"),
    "PrivateNote": "As agreed",
    "TxnStatus": "Pending",
}
TRANSACTION_TOLD: dict[str, Any] = {
    "id": "7",
    "dated_on": "2026-11-03",
    "currency": "EUR",
    "currency_rate": "0.8",
    "status": "Synchronized",
    "active": True,
}
TAXED = TRANSACTION | {
    "DocNumber": "N-123",
    "GlobalTaxCalculation": "TaxInclusive",
    "TxnTaxDetail": {"TotalTax": Decimal("8.02")},
    "TotalAmt": Decimal("48.03"),
    "AttachableRef": [{"IncludeOnSend": False}],
    "DepartmentRef": {"value": "30", "name": "North"},
}
TAXED_TOLD = TRANSACTION_TOLD | {
    "tax_basis": "INCLUSIVE",
    "subtotal": "40.01",
    "tax": "8.02",
    "total": "48.03",
    "has_attachments": True,
}
DEPARTMENT = {"category_id": None, "category": "Department", "option_id": "30", "option": "North"}
CLASS = {"category_id": None, "category": "Class", "option_id": "20", "option": "Shop"}
LINES = [
    {
        "Id": "11",
        "Description": "Oak chair",
        "Amount": Decimal("95.50"),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": "40", "name": "Chair"},
            "Qty": Decimal("2.5"),
            "UnitPrice": Decimal("39.90"),
            "DiscountRate": Decimal("4.5"),
            "DiscountAmt": Decimal("4.25"),
            "TaxInclusiveAmt": Decimal("114.60"),
            "TaxCodeRef": {"value": "5"},
            "TaxAmount": Decimal("19.10"),
            "ItemAccountRef": {"value": "50"},
            "ClassRef": {"value": "20", "name": "Shop"},
        },
    },
    {
        "DetailType": "GroupLineDetail",
        "GroupLineDetail": {
            "Line": [{"Id": "13", "Amount": Decimal("3.50"), "DetailType": "DescriptionOnly"}],
        },
    },
    {
        "Id": "12",
        "Description": "As a regular",
        "Amount": Decimal("10.75"),
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {
            "DiscountPercent": Decimal("12.5"),
            "DiscountAccountRef": {"value": "86"},
        },
    },
    {"Amount": Decimal("84.75"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
]
NO_LINE: dict[str, Any] = {
    "description": None,
    "quantity": None,
    "unit_amount": None,
    "discount_percent": None,
    "discount_amount": None,
    "tax_code": None,
    "tax_amount": None,
    "account_id": None,
    "account_code": None,
    "item_code": None,
    "item_id": None,
}
LINES_TOLD = [
    {
        "id": "11",
        "description": "Oak chair",
        "quantity": "2.5",
        "unit_amount": "39.9",
        "discount_percent": "4.5",
        "discount_amount": "4.25",
        "amount": "114.6",
        "tax_code": "5",
        "tax_amount": "19.1",
        "account_id": "50",
        "account_code": None,
        "item_code": "Chair",
        "tracking": [CLASS, DEPARTMENT],
        "item_id": "40",
    },
    NO_LINE | {"id": "13", "amount": "3.5", "tracking": [DEPARTMENT]},
    NO_LINE
    | {
        "id": "12",
        "description": "As a regular",
        "discount_percent": "12.5",
        "amount": "-10.75",
        "account_id": "86",
        "tracking": [DEPARTMENT],
    },
]
SPENT = [
    {
        "Id": "14",
        "Description": "Oak, planed",
        "Amount": Decimal("95.50"),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {
            "AccountRef": {"value": "60"},
            "TaxCodeRef": {"value": "5"},
            "TaxAmount": Decimal("19.10"),
            "ClassRef": {"value": "20", "name": "Shop"},
        },
    },
    {
        "Id": "17",
        "Amount": Decimal("3.25"),
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {"ItemRef": {"value": "40"}},
    },
]
SPENT_TOLD = [
    NO_LINE
    | {
        "id": "14",
        "description": "Oak, planed",
        "amount": "95.5",
        "tax_code": "5",
        "tax_amount": "19.1",
        "account_id": "60",
        "tracking": [CLASS, DEPARTMENT],
    },
    NO_LINE | {"id": "17", "amount": "3.25", "item_code": "40", "item_id": "40", "tracking": [DEPARTMENT]},
]
SOLD = {"CustomerRef": {"value": "9", "name": "Birch"}, "Line": LINES}
LACKING_LINES = frozenset(
    {
        *("GroupLineDetail", "Id", "Description", "Qty", "UnitPrice", "DiscountRate", "DiscountAmt"),
        *("TaxInclusiveAmt", "TaxCodeRef", "TaxAmount", "AccountRef", "ItemAccountRef"),
        *("DiscountAccountRef", "ItemRef", "ClassRef", "DescriptionOnly", "name"),
    }
)
"""Each kind of line has some of what lines may have."""
BOUGHT = {"VendorRef": {"value": "9", "name": "Birch"}, "Line": SPENT}


def document(noun: str, dataset: str, kind: str, said: dict[str, Any], told: dict[str, Any]) -> Full:
    is_sold = "CustomerRef" in said
    return Full(
        noun=noun,
        said=TAXED | {"PONumber": "PO-9", "DueDate": "2026-12-03"} | said,
        dataset=dataset,
        name="Birch",
        code="N-123",
        told=TAXED_TOLD
        | {
            "kind": kind,
            "number": "N-123",
            "reference": "PO-9",
            "contact": {"id": f"{'customer' if is_sold else 'vendor'}-9", "name": "Birch"},
            "due_on": "2026-12-03",
            "paid_on": None,
            "paid": None,
            "credited": None,
            "lines": LINES_TOLD if is_sold else SPENT_TOLD,
            "allocations": [],
            "bank_account": None,
            "method_id": None,
        }
        | told,
        instead={"status": "TxnStatus"}
        | ({"RemainingCredit": "Balance"} if "RemainingCredit" in said else {}),
        lacks=LACKING_LINES,
    )


LEFT, LEFT_TOLD = {"Balance": Decimal("7.93")}, {"due": "7.93", "paid": "40.1"}
CREDIT = {"RemainingCredit": Decimal("7.93"), "LinkedTxn": [{"TxnId": "118", "TxnType": "Payment"}]}
CREDIT_TOLD = {
    "due": "7.93",
    "allocations": [{"document_id": "118", "type": "Payment", "amount": None}],
}
RECEIVED = LEFT | {
    "PaymentRefNum": "3001",
    "PaymentMethodRef": {"value": "2"},
    "DepositToAccountRef": {"value": "8", "name": "Till"},
}
RECEIVED_TOLD = LEFT_TOLD | {
    "reference": "3001",
    "paid_on": "2026-11-03",
    "bank_account": {"id": "8", "code": None, "name": "Till"},
    "method_id": "2",
}

DOCUMENTS = [
    document("Bill", "bills", "BILL", BOUGHT | LEFT, LEFT_TOLD),
    document("Invoice", "invoices", "INVOICE", SOLD | LEFT, LEFT_TOLD),
    document(
        "VendorCredit",
        "supplier_credit_notes",
        "SUPPLIER_CREDIT_NOTE",
        BOUGHT | CREDIT | {"Balance": Decimal("1.01")},
        CREDIT_TOLD,
    ),
    document(
        "CreditMemo", "credit_notes", "CREDIT_NOTE", SOLD | CREDIT | {"Balance": Decimal("1.01")}, CREDIT_TOLD
    ),
    document("SalesReceipt", "sales_receipts", "SALES_RECEIPT", SOLD | RECEIVED, RECEIVED_TOLD),
]
