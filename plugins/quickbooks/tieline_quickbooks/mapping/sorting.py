"""Any element of an answer, sorted: a Record, one that is gone, or one set aside with a sentence. Never an exception.

element ── has its id? ── deleted ─────── gone
                      └── can be mapped ─ Record
           anything else ──────────────── SetAside
"""

from __future__ import annotations

from typing import TypeAlias

from tieline.canonical import (
    Account,
    BankTransaction,
    BankTransfer,
    Contact,
    Document,
    Item,
    Journal,
    Payment,
    Preferences,
    to_data,
)
from tieline.plugins import Record, SetAside
from tieline_quickbooks.mapping.nouns import Canonical, Noun
from tieline_quickbooks.wire import Entry, Unreadable, changed_at, text

Gone: TypeAlias = tuple[str, str]
Sorted: TypeAlias = Record | SetAside | Gone

_DELETED = "DELETED"
_LONGEST_ID = 180
_LONGEST_NAME = 500


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
    name, code = _name(made), _code(made)
    return Record(
        dataset=dataset,
        external_id=made.id,
        name=name and name[:_LONGEST_NAME],
        code=code and code[:_LONGEST_NAME],
        active=made.active,
        updated_at=changed_at(entry),
        data=to_data(made),
    )


def _name(made: Canonical) -> str | None:
    """What a person would look for it by: of documents the contact's, of a journal what it is for."""
    match made:
        case Document() | BankTransaction() | Payment():
            return made.contact.name if made.contact else None
        case Journal():
            return made.narration
        case BankTransfer() | Preferences():
            return None
        case _:
            return made.name


def _code(made: Canonical) -> str | None:
    match made:
        case Document() | Journal():
            return made.number
        case BankTransaction() | BankTransfer() | Payment():
            return made.reference
        case Account() | Contact() | Item():
            return made.code
        case _:
            return None


def _entry(element: object) -> Entry:
    if not isinstance(element, dict):
        raise Unreadable("It is no object.")
    return element


def _id(entry: Entry) -> str:
    found = text(entry, "Id")
    if found is None or len(found) > _LONGEST_ID:
        raise Unreadable("It has no Id.")
    return found
