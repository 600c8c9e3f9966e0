"""How long an answer asks to be left alone, in both forms of `Retry-After` (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

_LONGEST = timedelta(days=2)
_SECONDS = re.compile(r"\d{1,9}")


def asked_wait(headers: httpx.Headers) -> timedelta | None:
    """The seconds that it names, or until the date by the answer's own clock; None where it does not say.

    Never more than two days: a provider that says more is asked again then. Never raises.
    """
    said = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(said):
        return min(timedelta(seconds=int(said)), _LONGEST)
    until, at = _instant(said), _instant(headers.get("date", ""))
    return None if until is None or at is None else min(max(until - at, timedelta(0)), _LONGEST)


def _instant(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
