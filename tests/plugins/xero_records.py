"""Elements of Xero's answers, and what becomes of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tieline.plugins.pull import Record
from tieline_xero.mapping import NOUNS, sorted_out

BILL: dict[str, Any] = {
    "Type": "ACCPAY",
    "InvoiceID": "0F6A7E31-0000-4000-8000-000000000001",
    "InvoiceNumber": "SUP-123",
    "Contact": {"ContactID": "c1", "Name": "Timber & Sons"},
    "Date": "/Date(1793664000000+0000)/",
    "DateString": "2026-11-03T00:00:00",
    "DueDate": "/Date(1796256000000+0000)/",
    "LineAmountTypes": "Exclusive",
    "LineItems": [
        {
            "LineItemID": "l1",
            "Description": "Timber, planed",
            "Quantity": Decimal("3.0000"),
            "UnitAmount": Decimal("12.3456"),
            "TaxType": "INPUT2",
            "TaxAmount": Decimal("7.41"),
            "LineAmount": Decimal("37.04"),
            "AccountCode": "429",
            "AccountID": "A429",
            "Tracking": [
                {"TrackingCategoryID": "t1", "TrackingOptionID": "o1", "Name": "Region", "Option": "North"}
            ],
        }
    ],
    "SubTotal": Decimal("37.04"),
    "TotalTax": Decimal("7.41"),
    "Total": Decimal("44.45"),
    "AmountDue": Decimal("44.45"),
    "AmountPaid": Decimal("0.00"),
    "AmountCredited": 0,
    "CurrencyCode": "GBP",
    "CurrencyRate": Decimal("1.0000000000"),
    "Status": "AUTHORISED",
    "HasAttachments": True,
    "UpdatedDateUTC": "/Date(1793700000123+0000)/",
}


def sort(dataset: str, entry: object) -> Any:
    return sorted_out(NOUNS[dataset], entry, dataset)


def record(dataset: str, **entry: Any) -> Record:
    found = sort(dataset, entry)
    assert isinstance(found, Record), found
    return found
