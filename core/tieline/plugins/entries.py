"""One record of an answer, field by field: words, amounts, parts. What is there and cannot be read is Unreadable.

A plugin that meets Unreadable sets the record aside, with the error's sentence for its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from tieline.canonical import storable

Entry: TypeAlias = Mapping[str, Any]

_DIGITS = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?")
_MOST_DIGITS = 30


class Unreadable(Exception):
    """A record that does not say what it must; the message is a sentence, and quotes nothing."""


def text(entry: Entry, field: str) -> str | None:
    """None for what is empty, and for what is no text: the words of a record are never worth losing it."""
    value = entry.get(field)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return storable(value).strip() or None


def whole(entry: Entry, field: str) -> int | None:
    """A small count, as of days; None for what is none."""
    value = entry.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31 else None


def amount(entry: Entry, field: str) -> Decimal | None:
    """Every digit that was sent. Raises Unreadable."""
    value = entry.get(field)
    if value is None or value == "":
        return None
    found = _decimal(value)
    if found is None or not found.is_finite() or not _is_writable(found):
        raise Unreadable(f"Its {field} is no amount.")
    return found


def part(entry: Entry, field: str) -> Entry | None:
    """An object in it. Raises Unreadable."""
    value = entry.get(field)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unreadable(f"Its {field} is no object.")
    return value


def parts(entry: Entry, field: str) -> list[Entry]:
    """None of them is passed over: a document that lost a line would still show the sum of all. Raises Unreadable."""
    value = entry.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unreadable(f"Its {field} are no list of objects.")
    return value


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
        try:
            return Decimal(value)
        except (InvalidOperation, ValueError):
            return None
    return None


def _is_writable(number: Decimal) -> bool:
    """An exponent can make a short number very long."""
    return abs(number.adjusted()) <= _MOST_DIGITS
