"""A full record of a contact of Xero's."""

from __future__ import annotations

from tests.plugins.full_records import Full
from tests.plugins.xero_full_lists import CHANGED

CONTACT = Full(
    noun="contacts",
    said=CHANGED
    | {
        "ContactID": "CON-1",
        "AccountNumber": "T-17",
        "ContactNumber": "N-18",
        "Name": "Timber & Sons",
        "FirstName": "Ada",
        "LastName": "Birch",
        "EmailAddress": "ada@timber.test",
        "Website": "https://timber.test",
        "TaxNumber": "GB 99",
        "CompanyNumber": "08 111",
        "DefaultCurrency": "EUR",
        "IsSupplier": True,
        "IsCustomer": False,
        "PurchasesDefaultAccountCode": "310",
        "AccountsPayableTaxType": "INPUT2",
        "SalesDefaultAccountCode": "200",
        "AccountsReceivableTaxType": "OUTPUT2",
        "Addresses": [
            {
                "AddressType": "POBOX",
                "AttentionTo": "The yard",
                "AddressLine1": "Unit 1",
                "AddressLine2": "Mill House",
                "AddressLine3": "2 Mill Lane",
                "AddressLine4": "Millfield",
                "City": "Ashford",
                "Region": "Kent",
                "PostalCode": "TN23",
                "Country": "United Kingdom",
            }
        ],
        "Phones": [
            {
                "PhoneType": "MOBILE",
                "PhoneCountryCode": "44",
                "PhoneAreaCode": "020",
                "PhoneNumber": "555",
            }
        ],
        "MergedToContactID": "CON-2",
        "ContactStatus": "ARCHIVED",
    },
    dataset="contacts",
    name="Timber & Sons",
    code="T-17",
    told={
        "id": "con-1",
        "code": "T-17",
        "name": "Timber & Sons",
        "first_name": "Ada",
        "last_name": "Birch",
        "email": "ada@timber.test",
        "website": "https://timber.test",
        "tax_number": "GB 99",
        "registration_number": "08 111",
        "currency": "EUR",
        "is_supplier": True,
        "is_customer": False,
        "purchase_account_code": "310",
        "purchase_tax_code": "INPUT2",
        "sales_account_code": "200",
        "sales_tax_code": "OUTPUT2",
        "addresses": [
            {
                "type": "POBOX",
                "lines": ["The yard", "Unit 1", "Mill House", "2 Mill Lane", "Millfield"],
                "city": "Ashford",
                "region": "Kent",
                "postal_code": "TN23",
                "country": "United Kingdom",
            }
        ],
        "phones": [{"type": "MOBILE", "number": "44 020 555"}],
        "merged_into_id": "con-2",
        "status": "ARCHIVED",
        "active": False,
    },
    flips={"IsSupplier": "is_supplier", "IsCustomer": "is_customer"},
    instead={"AccountNumber": "ContactNumber"},
)
