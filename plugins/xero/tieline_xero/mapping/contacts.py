"""Suppliers and customers.

https://developer.xero.com/documentation/api/accounting/contacts — `IsSupplier` and `IsCustomer` follow the first
bill and the first invoice, and Xero does not always say that they changed.
"""

from __future__ import annotations

from tieline.canonical import Address, Contact, ContactRef, Phone
from tieline_xero.mapping.lists import is_active
from tieline_xero.wire import Entry, flag, guid, part, parts, text

_LINES = ("AttentionTo", "AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4")
_PHONE = ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber")


def contact(id: str, entry: Entry) -> Contact:
    status = text(entry, "ContactStatus")
    return Contact(
        id=id,
        code=text(entry, "AccountNumber") or text(entry, "ContactNumber"),
        name=text(entry, "Name"),
        first_name=text(entry, "FirstName"),
        last_name=text(entry, "LastName"),
        email=text(entry, "EmailAddress"),
        website=text(entry, "Website"),
        tax_number=text(entry, "TaxNumber"),
        registration_number=text(entry, "CompanyNumber"),
        currency=text(entry, "DefaultCurrency"),
        is_supplier=flag(entry, "IsSupplier"),
        is_customer=flag(entry, "IsCustomer"),
        purchase_account_code=text(entry, "PurchasesDefaultAccountCode"),
        purchase_tax_code=text(entry, "AccountsPayableTaxType"),
        sales_account_code=text(entry, "SalesDefaultAccountCode"),
        sales_tax_code=text(entry, "AccountsReceivableTaxType"),
        addresses=tuple(filter(None, map(_address, parts(entry, "Addresses")))),
        phones=tuple(filter(None, map(_phone, parts(entry, "Phones")))),
        merged_into_id=guid(entry, "MergedToContactID"),
        status=status,
        active=is_active(status),
    )


def contact_ref(entry: Entry) -> ContactRef | None:
    """The contact of a document."""
    found = part(entry, "Contact")
    if found is None:
        return None
    return ContactRef(id=guid(found, "ContactID"), name=text(found, "Name"))


def _address(entry: Entry) -> Address | None:
    """Xero lists the kinds of address that a contact could have, empty ones too."""
    lines = tuple(line for field in _LINES if (line := text(entry, field)))
    found = Address(
        type=text(entry, "AddressType"),
        lines=lines,
        city=text(entry, "City"),
        region=text(entry, "Region"),
        postal_code=text(entry, "PostalCode"),
        country=text(entry, "Country"),
    )
    return found if lines or any((found.city, found.region, found.postal_code, found.country)) else None


def _phone(entry: Entry) -> Phone | None:
    number = " ".join(digits for field in _PHONE if (digits := text(entry, field)))
    return Phone(type=text(entry, "PhoneType"), number=number) if number else None
