"""Values as Intuit writes them: instants with an offset, and the time that stands in every envelope."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

_PACIFIC = timezone(timedelta(hours=-8))


def instant(at: datetime) -> str:
    """Whole seconds, as records have them."""
    return at.astimezone(_PACIFIC).isoformat(timespec="seconds")


def answered_at(at: datetime) -> str:
    """Milliseconds, as envelopes have them."""
    return at.astimezone(_PACIFIC).isoformat(timespec="milliseconds")


def read_instant(text: str) -> datetime | None:
    """A dateTime or a date; without an offset it is Pacific. None for what cannot be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found.replace(tzinfo=_PACIFIC) if found.tzinfo is None else found).astimezone(UTC)


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def on(day: date) -> str:
    return day.isoformat()
