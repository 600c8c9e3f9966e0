"""Canonical records as JSON: amounts as text with every digit, days and instants as ISO 8601, no floating point.

Equal values have one form, so that a record which did not change has the same JSON, whoever wrote its zeros.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"
JSONObject: TypeAlias = dict[str, JSON]

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def to_data(record: Any) -> JSONObject:
    """The fields of a canonical record by name, those of its parts within them."""
    return {name: _value(getattr(record, name)) for name in _names(record.__class__)}


def storable(text: str) -> str:
    """The text without what JSON may hold and PostgreSQL may not: NUL, and halves of characters."""
    if text.isascii():
        return text.replace("\x00", "")
    return _LONE_SURROGATES.sub("\ufffd", text.replace("\x00", ""))


def _value(value: Any) -> JSON:  # noqa: PLR0911 - one line for each type
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return storable(str(value))
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, tuple):
        return [_value(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return to_data(value)
    raise TypeError(f"A canonical record holds no {type(value).__name__}.")


def _digits(number: Decimal) -> str:
    """Without exponent, without zeros at the end, without the sign of nothing."""
    if not number.is_finite():
        raise ValueError("A canonical amount is a finite number.")
    if number == 0:
        return "0"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
