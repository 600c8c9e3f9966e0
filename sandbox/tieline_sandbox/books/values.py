"""Fields of records by their path, and numbers that JSON can hold."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Record = dict[str, Any]


def value_of(record: Record, path: str) -> Any:
    """A field, or a field of a field: `Contact.ContactID`."""
    found: Any = record
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def is_exact(number: Decimal) -> bool:
    """Whether the number can be written without another one coming out."""
    return Decimal(repr(float(number))) == number


def to_json(value: Any) -> bytes:
    """JSON with decimals as numbers, digit by digit as they are."""
    return json.dumps(value, default=_number, ensure_ascii=False, separators=(",", ":")).encode()


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)  # exact as long as `is_exact`, which is asked of every edit
    raise TypeError(f"{value!r} cannot be written as JSON.")
