"""From a canonical record's JSON to the GraphQL type that shows it: by the names of its fields, and total.

Data may be of an older shape than the code, or of a newer one. What is missing or of another type is null, a list
without it; no record breaks the page it stands on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from types import UnionType
from typing import Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from tieline.ledger.reading.repository import LedgerRecord

T = TypeVar("T")
Reader: TypeAlias = Callable[[Any], Any]
_MOST_DIGITS = 100  # before or after the point: more is no amount, and would be written out in full
_TOO_MUCH = 2**31


def shown(kind: type[T], record: LedgerRecord, /, **more: object) -> T:
    """The record as this type; what its row says counts for more than its data, and `more` than both."""
    row = {"id": record.external_id, "active": record.active, "updated_at": record.updated_at}
    made: T = _read(kind, {**record.data, **row}, more)
    return made


def shown_in_currency(kind: type[T], record: LedgerRecord, /, **more: object) -> T:
    """The same of a record with amounts: they are in the organisation's currency where it names none."""
    named = record.data.get("currency")
    return shown(kind, record, currency=named if isinstance(named, str) else record.currency, **more)


def _read(kind: Any, data: Mapping[str, Any], more: Mapping[str, object]) -> Any:
    read = {name: reader(data.get(key)) for name, key, reader in _plan(kind) if name not in more}
    return kind(**read, **more)


@cache
def _plan(kind: Any) -> tuple[tuple[str, str, Reader], ...]:
    """Each field with its key in the data and what reads it. An `external_id` is what canonical records call `id`."""
    hints = get_type_hints(kind)
    return tuple(
        (field.name, "id" if field.name == "external_id" else field.name, _reader(hints[field.name]))
        for field in fields(kind)
    )


def _reader(hint: Any) -> Reader:
    if get_origin(hint) is list:
        of_each = _reader(get_args(hint)[0])
        return lambda value: _each(value, of_each)
    if isinstance(hint, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    if is_dataclass(hint):
        return partial(_part, hint)
    return _READERS.get(hint, _nothing)


def _each(value: Any, reader: Reader) -> list[Any]:
    read = (reader(one) for one in value) if isinstance(value, list) else ()
    return [one for one in read if one is not None]


def _part(kind: Any, value: Any) -> Any:
    return _read(kind, value, {}) if isinstance(value, dict) else None


def _nothing(_: Any) -> None:
    """Of what data does not hold: a field that only the code fills."""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    """GraphQL's whole numbers have 32 bits."""
    number = _amount(value)
    if number is None or not -_TOO_MUCH <= number < _TOO_MUCH or number % 1:
        return None
    return int(number)


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _instant(value: Any) -> datetime | None:
    """Instants come from the row; none stands in the data."""
    return value if isinstance(value, datetime) else None


_READERS: dict[Any, Reader] = {
    str: _text,
    bool: _flag,
    int: _whole,
    Decimal: _amount,
    date: _day,
    datetime: _instant,
}
