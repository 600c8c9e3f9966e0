"""Reading what callers send: an id that is not one of ours names nothing, an instant has its offset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from tieline.errors import Invalid, NotFound, Refused
from tieline.ids import parse_id

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
GIVEN = strawberry.argument(description="What to change, and how.")
LOOKED_AT = strawberry.argument(description="What to look at, as it would be sent to be done.")


@contextmanager
def told_of_input() -> Iterator[None]:
    """What a query refuses of its `input` is named as a mutation names it: `input.signInId`."""
    try:
        yield
    except Refused as refused:
        if refused.field is not None:
            refused.field = f"input.{refused.field}"
        raise


def read_id(kind: str, given: strawberry.ID, *, field: str = "id") -> UUID:
    """Raises NotFound for a text that is no id at all, just as for one that names nothing."""
    parsed = parse_id(str(given))
    if parsed is None:
        raise NotFound(kind, str(given)[:64], field=field)
    return parsed


def read_instant(given: datetime, *, field: str) -> datetime:
    """The instant in UTC. Raises Invalid for one that lacks its offset, or that lies beyond the calendar."""
    if given.tzinfo is None:
        raise Invalid("Say the offset of the instant too, as in 2031-05-04T00:00:00Z.", field=field)
    try:
        return given.astimezone(UTC)
    except OverflowError as beyond:
        raise Invalid("This instant lies beyond the calendar: choose another one.", field=field) from beyond
