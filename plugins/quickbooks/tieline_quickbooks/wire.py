"""Values as Intuit writes them: amounts, days, instants, references. What is there and cannot be read is Unreadable."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NoReturn

from tieline.plugins import entries
from tieline.plugins.entries import Entry, Unreadable, amount, part, parts, text

__all__ = [
    "Entry",
    "Unreadable",
    "amount",
    "changed_at",
    "day",
    "flag",
    "instant",
    "is_active",
    "part",
    "parts",
    "ref",
    "ref_name",
    "text",
    "whole",
]

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2}|T.*)?")


def flag(entry: Entry, field: str) -> bool:
    return entry.get(field) is True or entry.get(field) == "true"


def is_active(entry: Entry) -> bool:
    """Whether new entries may use it; saying nothing says nothing against it."""
    return entry.get("Active") is not False and entry.get("Active") != "false"


def whole(entry: Entry, field: str) -> int | None:
    """A small count, as days; also one written as text."""
    value = entry.get(field)
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        entry = {field: int(value[:12])}
    return entries.whole(entry, field)


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


def _unreadable(field: str, what: str) -> NoReturn:
    raise Unreadable(f"Its {field} is no {what}.")
