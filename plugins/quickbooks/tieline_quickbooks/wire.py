"""Values as Intuit writes them: amounts, days, instants, references. What is there and cannot be read is Unreadable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeAlias

from tieline.canonical import storable

Entry: TypeAlias = Mapping[str, Any]

_DIGITS = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?")
_MOST_DIGITS = 30
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2}|T.*)?")


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


def flag(entry: Entry, field: str) -> bool:
    return entry.get(field) is True or entry.get(field) == "true"


def is_active(entry: Entry) -> bool:
    """Whether new entries may use it; saying nothing says nothing against it."""
    return entry.get("Active") is not False and entry.get("Active") != "false"


def whole(entry: Entry, field: str) -> int | None:
    """A small count, as days; also one written as text."""
    value = entry.get(field)
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        value = int(value[:12])
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31 else None


def amount(entry: Entry, field: str) -> Decimal | None:
    """Every digit that was sent."""
    value = entry.get(field)
    if value is None or value == "":
        return None
    found = _decimal(value)
    if found is None or not found.is_finite() or abs(found.adjusted()) > _MOST_DIGITS:
        raise Unreadable(f"Its {field} is no amount.")
    return found


def day(entry: Entry, field: str) -> date | None:
    """A day of the company's calendar; a zone behind it says nothing."""
    value = entry.get(field)
    if value is None or value == "":
        return None
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[1]) if found else _unreadable(field, "day")
    except ValueError:
        _unreadable(field, "day")


def instant(value: object) -> datetime | None:
    """In UTC; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def changed_at(entry: Entry) -> datetime | None:
    """When the record was changed last."""
    meta = entry.get("MetaData")
    return instant(meta.get("LastUpdatedTime")) if isinstance(meta, dict) else None


def ref(entry: Entry, field: str) -> str | None:
    """The id that a reference holds."""
    found = part(entry, field)
    return None if found is None else text(found, "value")


def ref_name(entry: Entry, field: str) -> str | None:
    found = part(entry, field)
    return None if found is None else text(found, "name")


def part(entry: Entry, field: str) -> Entry | None:
    value = entry.get(field)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unreadable(f"Its {field} is no object.")
    return value


def parts(entry: Entry, field: str) -> list[Entry]:
    """None of them is passed over: a document that lost a line would still show the sum of all."""
    value = entry.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unreadable(f"Its {field} are no list of objects.")
    return value


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
        try:
            return Decimal(value)
        except (InvalidOperation, ValueError):
            return None
    return None


def _unreadable(field: str, what: str) -> NoReturn:
    raise Unreadable(f"Its {field} is no {what}.")
