"""Full records of Intuit's vendors and customers."""

from __future__ import annotations

from typing import Any

from tests.plugins.full_records import Full
from tests.plugins.quickbooks_full_lists import ACTIVE, LISTED, LISTED_TOLD

PARTY = LISTED | {
    "DisplayName": "Timber & Sons",
    "CompanyName": "Timber Ltd",
    "GivenName": "Ada",
    "FamilyName": "Birch",
    "PrimaryEmailAddr": {"Address": "ada@timber.test"},
    "WebAddr": {"URI": "https://timber.test"},
    "BusinessNumber": "08 111",
    "CurrencyRef": {"value": "EUR"},
    "DefaultTaxCodeRef": {"value": "5"},
    "BillAddr": {
        "Line1": "The yard",
        "Line2": "Unit 1",
        "Line3": "Mill House",
        "Line4": "2 Mill Lane",
        "Line5": "Millfield",
        "City": "Ashford",
        "CountrySubDivisionCode": "Kent",
        "PostalCode": "TN23",
        "Country": "United Kingdom",
        "CountryCode": "GBR",
    },
    "ShipAddr": {
        "Line1": "Gate 2",
        "Line2": "Hall 9",
        "Line3": "Rue Haute",
        "Line4": "Zone A",
        "Line5": "Nord",
        "City": "Lille",
        "CountrySubDivisionCode": "Hauts-de-France",
        "PostalCode": "59000",
        "Country": "France",
    },
    "PrimaryPhone": {"FreeFormNumber": "555 01"},
    "AlternatePhone": {"FreeFormNumber": "555 02"},
    "Mobile": {"FreeFormNumber": "555 03"},
    "Fax": {"FreeFormNumber": "555 04"},
}
PARTY_TOLD: dict[str, Any] = LISTED_TOLD | {
    "code": None,
    "name": "Timber & Sons",
    "first_name": "Ada",
    "last_name": "Birch",
    "email": "ada@timber.test",
    "website": "https://timber.test",
    "tax_number": "GB 99",
    "registration_number": "08 111",
    "currency": "EUR",
    "purchase_account_code": None,
    "purchase_tax_code": None,
    "sales_account_code": None,
    "sales_tax_code": None,
    "addresses": [
        {
            "type": "BillAddr",
            "lines": ["The yard", "Unit 1", "Mill House", "2 Mill Lane", "Millfield"],
            "city": "Ashford",
            "region": "Kent",
            "postal_code": "TN23",
            "country": "United Kingdom",
        },
        {
            "type": "ShipAddr",
            "lines": ["Gate 2", "Hall 9", "Rue Haute", "Zone A", "Nord"],
            "city": "Lille",
            "region": "Hauts-de-France",
            "postal_code": "59000",
            "country": "France",
        },
    ],
    "phones": [
        {"type": "PrimaryPhone", "number": "555 01"},
        {"type": "AlternatePhone", "number": "555 02"},
        {"type": "Mobile", "number": "555 03"},
        {"type": "Fax", "number": "555 04"},
    ],
    "merged_into_id": None,
}

VENDOR = Full(
    noun="Vendor",
    said=PARTY | {"AcctNum": "T-17", "TaxIdentifier": "GB 99"},
    dataset="contacts",
    name="Timber & Sons",
    code="T-17",
    told=PARTY_TOLD
    | {
        "id": "vendor-7",
        "code": "T-17",
        "is_supplier": True,
        "is_customer": False,
        "purchase_tax_code": "5",
    },
    flips=ACTIVE,
    instead={"DisplayName": "CompanyName", "BillAddr.Country": "CountryCode"},
)

CUSTOMER = Full(
    noun="Customer",
    said=PARTY | {"PrimaryTaxIdentifier": "GB 99"},
    dataset="contacts",
    name="Timber & Sons",
    code=None,
    told=PARTY_TOLD | {"id": "customer-7", "is_supplier": False, "is_customer": True, "sales_tax_code": "5"},
    flips=ACTIVE,
    instead={"DisplayName": "CompanyName", "BillAddr.Country": "CountryCode"},
)

CONTACTS = [VENDOR, CUSTOMER]
