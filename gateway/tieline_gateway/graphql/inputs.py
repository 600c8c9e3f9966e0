"""Reading what callers send: an id that is not one of ours names nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import strawberry

from tieline.errors import NotFound, Refused
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
