"""The query language: one entity, conditions joined by AND, an order, a page.

    SELECT *[, field, ...] | count(*) FROM Vendor [WHERE field op 'value' AND field IN ('a', 'b') AND field LIKE '%a%']
        [ORDERBY field [ASC | DESC]] [STARTPOSITION n] [MAXRESULTS m]

All fields come with the star, whichever are named beside it.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from tieline_sandbox.books.shelf import Order
from tieline_sandbox.books.values import Record, value_of
from tieline_sandbox.quickbooks.books.kinds import UPDATED, Kind, comparable
from tieline_sandbox.quickbooks.wire import read_instant

DEFAULT_ROWS, MAX_ROWS = 100, 1000
_TOKEN = re.compile(r"\s*(?:'((?:\\.|[^'\\])*)'|([A-Za-z_][\w.]*|-?\d+(?:\.\d+)?)|(<=|>=|[=<>(),*]))")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_SECOND = timedelta(seconds=1)


class Unparsable(Exception):
    """A statement that is not understood; says where."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A condition as it was written: `sign` is a comparison, IN or LIKE."""

    field: str
    sign: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement as it was written, before the entity's fields are known; rows are counted from 1."""

    entity: str
    is_count: bool
    where: tuple[Written, ...]
    order: Order
    start: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What records of one kind must be like. Deleted ones never are, inactive ones only when they are asked for."""

    where: tuple[Written, ...] = ()
    ids: frozenset[str] | None = None

    def fields(self, kind: Kind) -> set[str]:
        hides = {"Active"} if kind.is_list else set()
        return {one.field for one in self.where} | hides

    def hold(self, kind: Kind, record: Record) -> bool:
        if record.get("status") == "Deleted":
            return False
        asked = any(one.field == "Active" for one in self.where)
        shown = asked or not kind.is_list or bool(record.get("Active", True))
        return shown and all(_holds(one, record) for one in self.where)


def parse(text: str) -> Statement:
    """The statement, or `Unparsable`."""
    reader = _Reader(text)
    reader.word("SELECT")
    is_count = reader.is_next("count")
    if is_count:
        for sign in "(*)":
            reader.sign(sign)
        reader.word("FROM")
    else:
        reader.columns()
    entity = reader.name()
    where = reader.where() if reader.is_next("WHERE") else ()
    order = reader.order() if reader.is_next("ORDERBY") or reader.is_next("ORDER", "BY") else ()
    start = reader.whole() if reader.is_next("STARTPOSITION") else 1
    rows = reader.whole() if reader.is_next("MAXRESULTS") else DEFAULT_ROWS
    reader.end()
    return Statement(
        entity=entity,
        is_count=is_count,
        where=where,
        order=order,
        start=max(1, start),
        rows=min(rows, MAX_ROWS),
    )


def resolved(statement: Statement, kind: Kind) -> Statement:
    """The statement with the entity's own spelling of fields, or `Unparsable` for one that it cannot be asked by."""

    def path(name: str) -> str:
        found = kind.path(name)
        if found is None:
            raise Unparsable(f"Property {name} not found for Entity {kind.entity}")
        return found

    where = tuple(Written(field=path(one.field), sign=one.sign, values=one.values) for one in statement.where)
    return Statement(
        entity=kind.entity,
        is_count=statement.is_count,
        where=where,
        order=tuple((path(name), descends) for name, descends in statement.order),
        start=statement.start,
        rows=statement.rows,
    )


def times(where: tuple[Written, ...]) -> tuple[datetime | None, datetime | None, tuple[Written, ...]]:
    """The conditions about the last change as an interval, its end left out, and all other conditions."""
    since: datetime | None = None
    before: datetime | None = None
    rest: list[Written] = []
    for one in where:
        if one.field != UPDATED or one.sign not in _SIGNS:
            rest.append(one)
            continue
        at = _instant(one.values[0])
        if one.sign in (">", ">=", "="):
            first = at + _SECOND if one.sign == ">" else at
            since = max(since, first) if since else first
        if one.sign in ("<", "<=", "="):
            last = at if one.sign == "<" else at + _SECOND
            before = min(before, last) if before else last
    return since, before, tuple(rest)


def _holds(condition: Written, record: Record) -> bool:
    found = value_of(record, condition.field)
    if found is None:
        return False
    if condition.sign == "LIKE":
        pattern = "".join(".*" if one == "%" else re.escape(one) for one in condition.values[0])
        return re.fullmatch(pattern, str(found), re.IGNORECASE | re.DOTALL) is not None
    values = [_as(condition.field, found, value) for value in condition.values]
    found = comparable(condition.field, found)
    return found in values if condition.sign == "IN" else _SIGNS[condition.sign](found, values[0])


def _as(field: str, found: Any, value: str) -> Any:
    """The written value as the type that the record has there."""
    if isinstance(found, bool):
        return value.lower() == "true"
    if isinstance(found, Decimal | int):
        try:
            return Decimal(value)
        except InvalidOperation as error:
            raise Unparsable(f"{value} is no number") from error
    return _instant(value) if field.startswith("MetaData.") else comparable(field, value)


def _instant(text: str) -> datetime:
    found = read_instant(text)
    if found is None:
        raise Unparsable(f"{text} is no date")
    return found.replace(microsecond=0)


class _Reader:
    """The words, values and signs of a statement, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def is_next(self, *words: str) -> bool:
        """Steps over these words, if they come now."""
        before = self._place
        for word in words:
            found = self._next()
            if found is None or (found[2] or "").upper() != word.upper():
                self._place = before
                return False
        return True

    def word(self, word: str) -> None:
        if not self.is_next(word):
            raise self._unparsable(word)

    def sign(self, sign: str) -> None:
        found = self._next()
        if found is None or found[3] != sign:
            raise self._unparsable(sign)

    def name(self) -> str:
        found = self._next()
        if found is None or not found[2] or not found[2][0].isalpha():
            raise self._unparsable("a name")
        return found[2]

    def columns(self) -> None:
        """A star, and perhaps fields beside it."""
        self.sign("*")
        while not self.is_next("FROM"):
            self.sign(",")
            self.name()

    def whole(self) -> int:
        found = self._next()
        if found is None or not (found[2] or "").isdecimal():
            raise self._unparsable("a number")
        return int(found[2])

    def where(self) -> tuple[Written, ...]:
        conditions = [self._condition()]
        while self.is_next("AND"):
            conditions.append(self._condition())
        return tuple(conditions)

    def order(self) -> Order:
        name = self.name()
        descends = self.is_next("DESC")
        if not descends:
            self.is_next("ASC")
        return ((name, descends),)

    def end(self) -> None:
        if self._text[self._place :].strip():
            raise self._unparsable("the end")

    def _condition(self) -> Written:
        field = self.name()
        if self.is_next("IN"):
            return Written(field=field, sign="IN", values=self._values())
        if self.is_next("LIKE"):
            return Written(field=field, sign="LIKE", values=(self._value(),))
        found = self._next()
        if found is None or found[3] not in _SIGNS:
            raise self._unparsable("a comparison")
        return Written(field=field, sign=found[3], values=(self._value(),))

    def _values(self) -> tuple[str, ...]:
        self.sign("(")
        values = [self._value()]
        while True:
            found = self._next()
            if found is not None and found[3] == ")":
                return tuple(values)
            if found is None or found[3] != ",":
                raise self._unparsable(")")
            values.append(self._value())

    def _value(self) -> str:
        found = self._next()
        if found is None or found[3]:
            raise self._unparsable("a value")
        return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]

    def _next(self) -> re.Match[str] | None:
        found = _TOKEN.match(self._text, self._place)
        self._place = found.end() if found else self._place
        return found

    def _unparsable(self, expected: str) -> Unparsable:
        return Unparsable(f"expected {expected} before position {self._place + 1} of: {self._text.strip()}")
