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
    Advance,
    BankTransaction,
    BankTransfer,
    BrandingTheme,
    Contact,
    Currency,
    Document,
    Item,
    Journal,
    Organisation,
    Payment,
    TaxRate,
    TrackingCategory,
    to_data,
)
from tieline.plugins import Record, SetAside
from tieline_xero.wire import Entry, Unreadable, instant, text

Canonical: TypeAlias = (
    Account
    | Advance
    | BankTransaction
    | BankTransfer
    | BrandingTheme
    | Contact
    | Currency
    | Document
    | Item
    | Journal
    | Organisation
    | Payment
    | TaxRate
    | TrackingCategory
)
Gone: TypeAlias = tuple[str, str]
Sorted: TypeAlias = Record | SetAside | Gone

_DELETED = "DELETED"
_UPDATED = "UpdatedDateUTC"
_CODED = (Account, Contact, Item, TaxRate)
_LONGEST_ID = 200
_LONGEST_NAME = 500


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
        case Advance() | BankTransaction() | Payment():
            return made.contact.name if made.contact else None, made.reference
        case BankTransfer():
            return None, made.reference
        case Journal():
            return made.narration, made.number
        case Currency():
            return made.name, made.id
        case _:
            return made.name, made.code if isinstance(made, _CODED) else None


def _entry(element: object) -> Entry:
    if not isinstance(element, dict):
        raise Unreadable("It is no object.")
    return element


def _id(noun: Noun, entry: Entry) -> str:
    found = noun.identify(entry)
    if found is None or len(found) > _LONGEST_ID:
        raise Unreadable(f"It has no {noun.id_field}.")
    return found
