"""Any element of an answer, sorted: a Record, one that is gone, or one set aside with a sentence. Never an exception.

element ── has its id? ── deleted ─────── gone
                      └── can be mapped ─ Record
           anything else ──────────────── SetAside
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tieline.canonical import (
    Account,
    BankTransaction,
    Contact,
    Document,
    DocumentKind,
    Organisation,
    TaxRate,
    TrackingCategory,
    to_data,
)
from tieline.plugins import Record, SetAside
from tieline_xero.mapping.contacts import contact
from tieline_xero.mapping.documents import KINDS, bank_transaction, document
from tieline_xero.mapping.lists import account, organisation, tax_rate, tracking_category
from tieline_xero.wire import Entry, Unreadable, guid, instant, text

Canonical: TypeAlias = (
    Account | BankTransaction | Contact | Document | Organisation | TaxRate | TrackingCategory
)
Gone: TypeAlias = tuple[str, str]
Sorted: TypeAlias = Record | SetAside | Gone

_DELETED = "DELETED"
_UPDATED = "UpdatedDateUTC"
_LONGEST_ID = 200
_LONGEST_NAME = 500
_DATASET = {DocumentKind.INVOICE: "invoices", DocumentKind.BILL: "bills"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """One kind of record: where it stands in an answer, what it is known by, which dataset it belongs to."""

    collection: str
    dataset: Callable[[Entry], str]
    mapped: Callable[[str, Entry], Canonical]
    identify: Callable[[Entry], str | None]
    id_field: str
    status_field: str = "Status"


def sorted_out(noun: Noun, element: object, fallback_dataset: str) -> Sorted:
    """`fallback_dataset` is where it is told of what does not even say what it is."""
    dataset, id_ = fallback_dataset, ""
    try:
        entry = _entry(element)
        id_ = _id(noun, entry)
        dataset = noun.dataset(entry)
        if (text(entry, noun.status_field) or "").upper() == _DELETED:
            return dataset, id_
        return _record(dataset, noun.mapped(id_, entry), entry)
    except Unreadable as why:
        return SetAside(dataset=dataset, external_id=id_, why=str(why))


def _record(dataset: str, made: Canonical, entry: Entry) -> Record:
    name, code = _labels(made)
    return Record(
        dataset=dataset,
        external_id=made.id,
        name=name and name[:_LONGEST_NAME],
        code=code and code[:_LONGEST_NAME],
        active=made.active,
        updated_at=instant(entry, _UPDATED),
        data=to_data(made),
    )


def _labels(made: Canonical) -> tuple[str | None, str | None]:
    """What a person would look for it by: its name and its code; of documents the contact's name and the number."""
    match made:
        case Document():
            return made.contact.name if made.contact else None, made.number
        case BankTransaction():
            return made.contact.name if made.contact else None, made.reference
        case Account() | Contact() | TaxRate():
            return made.name, made.code
        case Organisation() | TrackingCategory():
            return made.name, None


def _entry(element: object) -> Entry:
    if not isinstance(element, dict):
        raise Unreadable("It is no object.")
    return element


def _id(noun: Noun, entry: Entry) -> str:
    found = noun.identify(entry)
    if found is None or len(found) > _LONGEST_ID:
        raise Unreadable(f"It has no {noun.id_field}.")
    return found


def _kind(entry: Entry) -> DocumentKind:
    """Credit notes and whatever may come would be something else, and not counted as what they are."""
    kind = KINDS.get((text(entry, "Type") or "").upper())
    if kind is None:
        raise Unreadable("Its Type is neither an invoice nor a bill.")
    return kind


def _noun(
    collection: str,
    dataset: str,
    id_field: str,
    mapped: Callable[[str, Entry], Canonical],
    status_field: str = "Status",
) -> Noun:
    return Noun(
        collection=collection,
        dataset=lambda _: dataset,
        mapped=mapped,
        identify=lambda entry: guid(entry, id_field),
        id_field=id_field,
        status_field=status_field,
    )


ORGANISATION = _noun(
    "Organisations", "organisation", "OrganisationID", organisation, status_field="OrganisationStatus"
)
ACCOUNTS = _noun("Accounts", "accounts", "AccountID", account)
CONTACTS = _noun("Contacts", "contacts", "ContactID", contact, status_field="ContactStatus")
TRACKING_CATEGORIES = _noun(
    "TrackingCategories", "tracking_categories", "TrackingCategoryID", tracking_category
)
BANK_TRANSACTIONS = _noun("BankTransactions", "bank_transactions", "BankTransactionID", bank_transaction)
TAX_RATES = Noun(
    collection="TaxRates",
    dataset=lambda _: "tax_rates",
    mapped=tax_rate,
    identify=lambda entry: text(entry, "TaxType"),
    id_field="TaxType",
)
INVOICES = Noun(
    collection="Invoices",
    dataset=lambda entry: _DATASET[_kind(entry)],
    mapped=lambda id_, entry: document(id_, entry, _kind(entry)),
    identify=lambda entry: guid(entry, "InvoiceID"),
    id_field="InvoiceID",
)
