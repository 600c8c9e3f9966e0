"""Vendors and customers, which are contacts. Each has ids of its own kind, so a contact's id says which it is.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/vendor
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customer
"""

from __future__ import annotations

from tieline.canonical import Address, Contact, ContactRef, Phone
from tieline_quickbooks.wire import Entry, is_active, part, ref, text

_LINES = ("Line1", "Line2", "Line3", "Line4", "Line5")
_ADDRESSES = ("BillAddr", "ShipAddr")
_PHONES = ("PrimaryPhone", "AlternatePhone", "Mobile", "Fax")


def vendor(id: str, entry: Entry) -> Contact:
    return _contact(id, entry, is_supplier=True, code=text(entry, "AcctNum"), tax_field="TaxIdentifier")


def customer(id: str, entry: Entry) -> Contact:
    return _contact(id, entry, is_supplier=False, code=None, tax_field="PrimaryTaxIdentifier")


def contact_id(kind: str, id: str) -> str:
    """`vendor-7` and `customer-7` are two."""
    return f"{kind.lower()}-{id}"


def contact_ref(entry: Entry, field: str, kind: str | None = None) -> ContactRef | None:
    """The contact of a document; where it may be of several kinds, the reference names its own."""
    found = part(entry, field)
    if found is None:
        return None
    named, kind = text(found, "value"), kind or text(found, "type")
    return ContactRef(id=contact_id(kind, named) if named and kind else named, name=text(found, "name"))


def _contact(id: str, entry: Entry, *, is_supplier: bool, code: str | None, tax_field: str) -> Contact:
    """Its tax code is for what is bought of a vendor, and for what is sold to a customer."""
    tax_code = ref(entry, "DefaultTaxCodeRef")
    return Contact(
        id=id,
        code=code,
        name=text(entry, "DisplayName") or text(entry, "CompanyName"),
        first_name=text(entry, "GivenName"),
        last_name=text(entry, "FamilyName"),
        email=_of(entry, "PrimaryEmailAddr", "Address"),
        website=_of(entry, "WebAddr", "URI"),
        tax_number=text(entry, tax_field),
        registration_number=text(entry, "BusinessNumber"),
        currency=ref(entry, "CurrencyRef"),
        is_supplier=is_supplier,
        is_customer=not is_supplier,
        purchase_account_code=None,
        purchase_tax_code=tax_code if is_supplier else None,
        sales_account_code=None,
        sales_tax_code=None if is_supplier else tax_code,
        addresses=tuple(address for field in _ADDRESSES if (address := _address(entry, field))),
        phones=tuple(
            Phone(type=field, number=number)
            for field in _PHONES
            if (number := _of(entry, field, "FreeFormNumber"))
        ),
        merged_into_id=None,
        status=text(entry, "status"),
        active=is_active(entry),
    )


def _address(entry: Entry, field: str) -> Address | None:
    found = part(entry, field) or {}
    lines = tuple(line for name in _LINES if (line := text(found, name)))
    made = Address(
        type=field,
        lines=lines,
        city=text(found, "City"),
        region=text(found, "CountrySubDivisionCode"),
        postal_code=text(found, "PostalCode"),
        country=text(found, "Country") or text(found, "CountryCode"),
    )
    return made if lines or any((made.city, made.region, made.postal_code, made.country)) else None


def _of(entry: Entry, field: str, inner: str) -> str | None:
    found = part(entry, field)
    return None if found is None else text(found, inner)
