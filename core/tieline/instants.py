"""Instants as callers give them: each with its offset, and within the calendar."""

from __future__ import annotations

from datetime import UTC, datetime

from tieline.errors import Invalid


def read_instant(given: datetime, *, field: str) -> datetime:
    """The instant in UTC. Raises Invalid for one that lacks its offset, or that lies beyond the calendar."""
    if given.tzinfo is None:
        raise Invalid("Say the offset of the instant too, as in 2031-05-04T00:00:00Z.", field=field)
    try:
        return given.astimezone(UTC)
    except OverflowError as beyond:
        raise Invalid("This instant lies beyond the calendar: choose another one.", field=field) from beyond
