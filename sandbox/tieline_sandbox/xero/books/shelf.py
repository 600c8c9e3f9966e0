"""One dataset of one organisation: which records a question wants, and those of one page, made when asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from tieline_sandbox.xero.books.edits import edited
from tieline_sandbox.xero.books.filters import Where, comparable, holds, value_of
from tieline_sandbox.xero.books.kinds import Kind
from tieline_sandbox.xero.books.ledger import Ledger, Record
from tieline_sandbox.xero.model import Edit

_UPDATED = "UpdatedDateUTC"


@dataclass(frozen=True)
class Conditions:
    """What a record must be like; nothing set wants everything."""

    where: Where = ()
    statuses: frozenset[str] = frozenset()
    ids: frozenset[str] | None = None
    contact_ids: frozenset[str] | None = None
    numbers: frozenset[str] | None = None
    search: str = ""
    with_archived: bool = True

    def fields(self, kind: Kind) -> set[str]:
        """The fields that the answer depends on."""
        wanted = {condition.field for choice in self.where for condition in choice}
        wanted |= {kind.status_field} if self.statuses or not self.with_archived else set()
        wanted |= {"Contact"} if self.contact_ids is not None else set()
        return wanted | ({"*"} if self.search or self.numbers is not None else set())

    def hold(self, kind: Kind, record: Record) -> bool:
        status = record.get(kind.status_field)
        return (
            (self.with_archived or status != "ARCHIVED")
            and (not self.statuses or status in self.statuses)
            and (self.contact_ids is None or value_of(record, "Contact.ContactID") in self.contact_ids)
            and (self.numbers is None or record.get("InvoiceNumber") in self.numbers)
            and (not self.search or _found(self.search, record))
            and holds(self.where, record)
        )


@dataclass(frozen=True, kw_only=True)
class Question:
    """`since` is compared in whole seconds; `order` is fields, each with whether it descends."""

    conditions: Conditions = field(default_factory=Conditions)
    since: datetime | None = None
    order: tuple[tuple[str, bool], ...] = ()


class Shelf:
    """The records of a dataset: those that the seed gives, and the edits that stand in their places."""

    def __init__(self, kind: Kind, ledger: Ledger, edits: Mapping[str, Edit]) -> None:
        self.kind, self.ledger, self.edits = kind, ledger, edits

    def find(self, id_: str) -> Record | None:
        """By id; a tax rate by its type."""
        id_ = self.kind.spelling(id_)
        edit = self.edits.get(id_)
        if edit:
            return edited(self.kind, self.ledger, edit)
        number = self.kind.number_of(self.ledger, id_)
        if number is None or number >= self.ledger.count(self.kind.dataset):
            return None
        return self.kind.make(self.ledger, number)

    def select(self, question: Question) -> Selection:
        """The records that answer the question, in its order; none of them is made yet."""
        seeded = self._seeded(question)
        changed = self._changed(question)
        if question.order and question.order[0][0] != _UPDATED:
            return _sorted([*map(self._make, seeded), *(record for _, record in changed)], question.order)
        by_time = bool(question.order)
        key: Callable[[int], Any] = self._updated_at if by_time else _number
        changed.sort(key=lambda pair: pair[0].updated_at if by_time else pair[0].number)
        marks = [edit.updated_at if by_time else edit.number for edit, _ in changed]
        return Selection(
            seeded=seeded,
            changed=[record for _, record in changed],
            places=[bisect_left(seeded, mark, key=key) + n for n, mark in enumerate(marks)],
            make=self._make,
            descends=by_time and question.order[0][1],
        )

    def _seeded(self, question: Question) -> Sequence[int]:
        numbers = _matching(self.kind, self.ledger, question.conditions)
        if question.since is not None:
            first = bisect_left(
                numbers, question.since, key=lambda n: self._updated_at(n).replace(microsecond=0)
            )
            numbers = numbers[first:]
        touched = {edit.number for edit in self.edits.values()}
        return [number for number in numbers if number not in touched] if touched else numbers

    def _changed(self, question: Question) -> list[tuple[Edit, Record]]:
        wanted, since = question.conditions, question.since
        return [
            (edit, record)
            for edit in self.edits.values()
            if (since is None or edit.updated_at.replace(microsecond=0) >= since)
            and (wanted.ids is None or edit.id in wanted.ids)
            and wanted.hold(self.kind, record := edited(self.kind, self.ledger, edit))
        ]

    def _make(self, number: int) -> Record:
        return self.kind.make(self.ledger, number)

    def _updated_at(self, number: int) -> datetime:
        return self.ledger.updated_at(self.kind.dataset, number)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Records in order: `changed[n]` stands at `places[n]`, the seeded ones fill what is between."""

    seeded: Sequence[int]
    changed: Sequence[Record]
    places: Sequence[int]
    make: Callable[[int], Record]
    descends: bool = False

    def __len__(self) -> int:
        return len(self.seeded) + len(self.changed)

    def slice(self, start: int, stop: int) -> Iterator[Record]:
        total = len(self)
        for position in range(start, min(stop, total)):
            yield self._at(total - 1 - position if self.descends else position)

    def _at(self, position: int) -> Record:
        before = bisect_left(self.places, position)
        if before < len(self.places) and self.places[before] == position:
            return self.changed[before]
        return self.make(self.seeded[position - before])


@lru_cache(maxsize=256)
def _matching(kind: Kind, ledger: Ledger, conditions: Conditions) -> Sequence[int]:
    """The numbers of seeded records that fit: computed once, for a client asks for one page after another."""
    count = ledger.count(kind.dataset)
    numbers: Sequence[int] = range(count)
    if conditions.ids is not None:
        known = {kind.number_of(ledger, id_) for id_ in conditions.ids}
        numbers = sorted(number for number in known if number is not None and number < count)
    wanted = conditions.fields(kind)
    if not wanted:
        return numbers
    cheap = kind.head is not None and wanted <= {"Type", "Status"}
    make = kind.head if kind.head is not None and cheap else kind.make
    return [number for number in numbers if conditions.hold(kind, make(ledger, number))]


def _sorted(records: list[Record], order: tuple[tuple[str, bool], ...]) -> Selection:
    """Any other order than by change or number: everything is made to sort it."""
    for name, descends in reversed(order):
        records.sort(key=lambda record, name=name: _sort_key(record, name), reverse=descends)  # type: ignore[misc]
    return Selection(seeded=(), changed=records, places=range(len(records)), make=_nothing)


def _sort_key(record: Record, name: str) -> tuple[bool, Any]:
    value = comparable(value_of(record, name))
    return value is not None, value


def _found(text: str, record: Record) -> bool:
    names = ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress", "InvoiceNumber", "Reference")
    return any(text.lower() in str(record.get(name, "")).lower() for name in names)


def _number(number: int) -> int:
    return number


def _nothing(_number: int) -> Record:
    return {}
