"""Plain dataclasses to JSON and back, with types checked: for the snapshot and for the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Malformed(Exception):
    """A value does not have the form that its place asks for."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place or 'the body'}: {problem}")


def encode(value: Any) -> Any:
    """What `json.dumps` takes: instants in ISO 8601, durations in seconds, sets in order."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(encode(item) for item in value)
    if isinstance(value, date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def decode(kind: Any, value: Any, place: str = "") -> Any:
    """`value` as `kind`, or `Malformed`."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _decode_union(get_args(kind), value, place)
    if origin is Literal:
        return _require(
            value in get_args(kind), value, place, f"one of {', '.join(map(str, get_args(kind)))}"
        )
    if origin in (tuple, frozenset):
        _require(isinstance(value, list), value, place, "a list")
        return origin(decode(get_args(kind)[0], item, f"{place}[{n}]") for n, item in enumerate(value))
    if origin is dict:
        _require(isinstance(value, dict), value, place, "an object")
        of_key, of_item = get_args(kind)
        return {
            decode(of_key, key, place): decode(of_item, item, f"{place}.{key}") for key, item in value.items()
        }
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_record(kind, value, place)
    return _decode_plain(kind, value, place)


def merge(record: T, given: Mapping[str, Any], *, fixed: tuple[str, ...] = ()) -> T:
    """`record` with the given fields changed; unknown and fixed ones are refused."""
    hints: dict[str, Any] = _hints(cast("Any", type(record)))
    for name in given:
        _require(name in hints and name not in fixed, name, name, "a field that can be set")
    changes = {name: decode(hints[name], value, name) for name, value in given.items()}
    return replace(record, **changes)  # type: ignore[type-var]  # every record is a dataclass


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode_union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    for kind in kinds[:-1]:
        try:
            return decode(kind, value, place)
        except Malformed:
            continue
    return decode(kinds[-1], value, place)


def _decode_record(kind: type, value: Any, place: str) -> Any:
    _require(isinstance(value, dict), value, place, "an object")
    hints, known = _hints(kind), {field.name: field for field in fields(kind)}
    for name in value:
        _require(name in known, name, f"{place}.{name}".lstrip("."), "a known field")
    for name, field in known.items():
        needed = field.default is MISSING and field.default_factory is MISSING
        _require(name in value or not needed, value, f"{place}.{name}".lstrip("."), "given")
    return kind(
        **{name: decode(hints[name], item, f"{place}.{name}".lstrip(".")) for name, item in value.items()}
    )


def _decode_plain(kind: Any, value: Any, place: str) -> Any:
    if kind is Any:
        return value
    if kind in (datetime, date):
        try:
            return kind.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise Malformed(place, "must be a date in ISO 8601") from error
    value = float(value) if isinstance(value, Decimal) else value
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is timedelta:
        return timedelta(seconds=_require(numeric, value, place, "a number of seconds"))
    if kind is float:
        return float(_require(numeric, value, place, "a number"))
    names = {str: "text", int: "a whole number", bool: "true or false", dict: "an object"}
    return _require(type(value) is kind, value, place, names[kind])


def _require(fine: bool, value: T, place: str, expected: str) -> T:  # noqa: FBT001 - reads as a sentence
    if not fine:
        raise Malformed(place, f"must be {expected}")
    return value
