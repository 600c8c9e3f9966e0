"""Values as Xero writes them: amounts, its `/Date(…)/`, ids, text. What is there and cannot be read is Unreadable.

A document's day is midnight in UTC, so it is read off in UTC and in no other zone; where a `…String` stands beside
it, that one is taken, as it needs no reckoning. The offset in `/Date(0+1300)/` says nothing about the instant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from tieline.canonical import storable

Entry: TypeAlias = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"/Date\((-?\d{1,17})(?:[+-]\d{4})?\)/")
_DIGITS = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?")
_MOST_DIGITS = 30
_NOBODY = "00000000-0000-0000-0000-000000000000"


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


def guid(entry: Entry, field: str) -> str | None:
    """In one case, so that references meet; the id of nothing counts as none."""
    found = text(entry, field)
    return None if found is None or found == _NOBODY else found.lower()


def flag(entry: Entry, field: str) -> bool:
    return entry.get(field) is True


def whole(entry: Entry, field: str) -> int | None:
    """A small count, as the day of a month."""
    value = entry.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31 else None


def amount(entry: Entry, field: str) -> Decimal | None:
    """Every digit that was sent."""
    value = entry.get(field)
    if value is None or value == "":
        return None
    found = _decimal(value)
    if found is None or not found.is_finite() or not _is_writable(found):
        raise Unreadable(f"Its {field} is no amount.")
    return found


def day(entry: Entry, field: str) -> date | None:
    twin = _iso(entry.get(f"{field}String"))
    if twin is not None:
        return twin.date()
    at = _stamp(entry, field, "day")
    return None if at is None else at.date()


def instant(entry: Entry, field: str) -> datetime | None:
    """In UTC."""
    at = _stamp(entry, field, "time")
    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


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


def _stamp(entry: Entry, field: str, what: str) -> datetime | None:
    value = entry.get(field)
    if value is None or value == "":
        return _iso(entry.get(f"{field}String"))
    at = _ms(value) or _iso(value) or _iso(entry.get(f"{field}String"))
    if at is None:
        raise Unreadable(f"Its {field} is no {what}.")
    return at


def _ms(value: object) -> datetime | None:
    found = _MS_DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:
        return None


def _iso(value: object) -> datetime | None:
    """As it stands there, with a zone or without. A zone that leads out of the calendar makes it unreadable."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        at.astimezone(UTC) if at.tzinfo else at
    except (ValueError, OverflowError):
        return None
    return at
