"""One dataset of one company: which records a question wants, and those of one page, made when asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, Protocol

from tieline_sandbox.books.edits import edited, made
from tieline_sandbox.books.kinds import Edit, Kind, L
from tieline_sandbox.books.ledger import Ledger
from tieline_sandbox.books.values import Record

Order = tuple[tuple[str, bool], ...]


class Conditions(Hashable, Protocol):
    """What a record must be like. Equal ones are equal values, for answers are remembered by them."""

    @property
    def ids(self) -> frozenset[str] | None:
        """The only records that come into question; None for all."""
        ...

    def fields(self, kind: Any) -> set[str]:
        """The fields that the answer depends on."""
        ...

    def hold(self, kind: Any, record: Record) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Question:
    """`since` (included) and `before` (not) are compared with the time of the last change in whole seconds;
    `order` is fields, each with whether it descends.
    """

    conditions: Conditions
    since: datetime | None = None
    before: datetime | None = None
    order: Order = ()


class Shelf(Generic[L]):
    """The records of a dataset: those that the seed gives, and the edits that stand in their places."""

    def __init__(self, kind: Kind[L], ledger: L, edits: Mapping[str, Edit]) -> None:
        self.kind, self.ledger, self.edits = kind, ledger, edits

    def find(self, id_: str) -> Record | None:
        id_ = self.kind.spelling(id_)
        edit = self.edits.get(id_)
        if edit:
            return edited(self.kind, self.ledger, edit)
        number = self.kind.number_of(self.ledger, id_)
        if number is None or number >= self.ledger.count(self.kind.dataset):
            return None
        return self._make(number)

    def select(self, question: Question) -> Selection:
        """The records that answer the question, in its order; none of them is made yet."""
        seeded = self._seeded(question)
        changed = self._changed(question)
        if question.order and question.order[0][0] != self.kind.updated_field:
            records = [*map(self._make, seeded), *(record for _, record in changed)]
            return self._sorted(records, question.order)
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
            numbers = numbers[bisect_left(numbers, question.since, key=self._second) :]
        if question.before is not None:
            numbers = numbers[: bisect_left(numbers, question.before, key=self._second)]
        touched = {edit.number for edit in self.edits.values()}
        return [number for number in numbers if number not in touched] if touched else numbers

    def _changed(self, question: Question) -> list[tuple[Edit, Record]]:
        wanted = question.conditions
        return [
            (edit, record)
            for edit in self.edits.values()
            if _within(question, edit.updated_at.replace(microsecond=0))
            and (wanted.ids is None or edit.id in wanted.ids)
            and wanted.hold(self.kind, record := edited(self.kind, self.ledger, edit))
        ]

    def _sorted(self, records: list[Record], order: Order) -> Selection:
        """Any other order than by change or number: everything is made to sort it."""
        for name, descends in reversed(order):
            records.sort(key=lambda record, name=name: self.kind.sort_key(record, name), reverse=descends)  # type: ignore[misc]
        return Selection(seeded=(), changed=records, places=range(len(records)), make=_nothing)

    def _make(self, number: int) -> Record:
        return made(self.kind, self.ledger, number)

    def _updated_at(self, number: int) -> datetime:
        return self.ledger.updated_at(self.kind.dataset, number)

    def _second(self, number: int) -> datetime:
        return self._updated_at(number).replace(microsecond=0)


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
def _matching(kind: Kind[Any], ledger: Ledger, conditions: Conditions) -> Sequence[int]:
    """The numbers of seeded records that fit: computed once, for a client asks for one page after another."""
    count = ledger.count(kind.dataset)
    numbers: Sequence[int] = range(count)
    if conditions.ids is not None:
        known = {kind.number_of(ledger, kind.spelling(id_)) for id_ in conditions.ids}
        numbers = sorted(number for number in known if number is not None and number < count)
    wanted = conditions.fields(kind)
    if not wanted:
        return numbers
    make = kind.head if kind.head is not None and wanted <= kind.head_fields else kind.make
    return [number for number in numbers if conditions.hold(kind, make(ledger, number))]


def _within(question: Question, second: datetime) -> bool:
    return (question.since is None or second >= question.since) and (
        question.before is None or second < question.before
    )


def _number(number: int) -> int:
    return number


def _nothing(_number: int) -> Record:
    return {}
