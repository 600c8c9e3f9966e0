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
    Organisation,
    Payment,
    PaymentMethod,
    TaxRate,
    Term,
    TrackingValue,
    to_data,
)
from tieline.plugins import Record, SetAside
from tieline_quickbooks.mapping.contacts import contact_id, customer, vendor
from tieline_quickbooks.mapping.documents import bill, invoice, payment, purchase
from tieline_quickbooks.mapping.lists import account, department, payment_method, term, tracking_class
from tieline_quickbooks.wire import Entry, Unreadable, changed_at, text

Canonical: TypeAlias = (
    Account
    | BankTransaction
    | Contact
    | Document
    | Organisation
    | Payment
    | PaymentMethod
    | TaxRate
    | Term
    | TrackingValue
)
Gone: TypeAlias = tuple[str, str]
Sorted: TypeAlias = Record | SetAside | Gone

_DELETED = "DELETED"
_LONGEST_ID = 180
_LONGEST_NAME = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """One kind of record: Intuit's name for it, the dataset it belongs to, and how it becomes a canonical one.

    Of a list, inactive records are queried too; a transaction knows no such thing.
    """

    entity: str
    dataset: str
    mapped: Callable[[str, Entry], Canonical]
    is_list: bool = False
    is_contact: bool = False

    def id_of(self, id: str) -> str:
        return contact_id(self.entity, id) if self.is_contact else id


NOUNS = (
    Noun(entity="Account", dataset="accounts", mapped=account, is_list=True),
    Noun(entity="Vendor", dataset="contacts", mapped=vendor, is_list=True, is_contact=True),
    Noun(entity="Customer", dataset="contacts", mapped=customer, is_list=True, is_contact=True),
    Noun(entity="Class", dataset="classes", mapped=tracking_class, is_list=True),
    Noun(entity="Department", dataset="departments", mapped=department, is_list=True),
    Noun(entity="Term", dataset="terms", mapped=term, is_list=True),
    Noun(entity="PaymentMethod", dataset="payment_methods", mapped=payment_method, is_list=True),
    Noun(entity="Bill", dataset="bills", mapped=bill),
    Noun(entity="Purchase", dataset="bank_transactions", mapped=purchase),
    Noun(entity="Invoice", dataset="invoices", mapped=invoice),
    Noun(entity="Payment", dataset="payments", mapped=payment),
)
"""What change data capture covers, lists before what refers to them."""


def sorted_out(noun: Noun, element: object) -> Sorted:
    id_ = ""
    try:
        entry = _entry(element)
        id_ = noun.id_of(_id(entry))
        if (text(entry, "status") or "").upper() == _DELETED:
            return noun.dataset, id_
        return _record(noun.dataset, noun.mapped(id_, entry), entry)
    except Unreadable as why:
        return SetAside(dataset=noun.dataset, external_id=id_, why=str(why))


def _record(dataset: str, made: Canonical, entry: Entry) -> Record:
    name, code = _labels(made)
    return Record(
        dataset=dataset,
        external_id=made.id,
        name=name and name[:_LONGEST_NAME],
        code=code and code[:_LONGEST_NAME],
        active=made.active,
        updated_at=changed_at(entry),
        data=to_data(made),
    )


def _labels(made: Canonical) -> tuple[str | None, str | None]:
    """What a person would look for it by: its name and its code; of documents the contact's name and the number."""
    match made:
        case Document():
            return made.contact.name if made.contact else None, made.number
        case BankTransaction() | Payment():
            return made.contact.name if made.contact else None, made.reference
        case Account() | Contact():
            return made.name, made.code
        case _:
            return made.name, None


def _entry(element: object) -> Entry:
    if not isinstance(element, dict):
        raise Unreadable("It is no object.")
    return element


def _id(entry: Entry) -> str:
    found = text(entry, "Id")
    if found is None or len(found) > _LONGEST_ID:
        raise Unreadable("It has no Id.")
    return found
