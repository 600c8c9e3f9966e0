"""Values as Xero writes them: amounts, its `/Date(…)/`, ids, text. What is there and cannot be read is Unreadable.

A document's day is midnight in UTC, so it is read off in UTC and in no other zone; where a `…String` stands beside
it, that one is taken, as it needs no reckoning. The offset in `/Date(0+1300)/` says nothing about the instant.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from tieline.plugins.entries import Entry, Unreadable, amount, part, parts, text, whole

__all__ = [
    "Entry",
    "Unreadable",
    "amount",
    "day",
    "flag",
    "guid",
    "instant",
    "part",
    "parts",
    "text",
    "whole",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"/Date\((-?\d{1,17})(?:[+-]\d{4})?\)/")
_NOBODY = "00000000-0000-0000-0000-000000000000"


def guid(entry: Entry, field: str) -> str | None:
    """In one case, so that references meet; the id of nothing counts as none."""
    found = text(entry, field)
    return None if found is None or found == _NOBODY else found.lower()


def flag(entry: Entry, field: str) -> bool:
    return entry.get(field) is True


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
