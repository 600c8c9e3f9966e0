"""Reading ids from callers: whatever is not one of ours names nothing."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from tieline.errors import NotFound
from tieline.ids import parse_id

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
GIVEN = strawberry.argument(description="What to change, and how.")


def read_id(kind: str, given: strawberry.ID, *, field: str = "id") -> UUID:
    """Raises NotFound for a text that is no id at all, just as for one that names nothing."""
    parsed = parse_id(str(given))
    if parsed is None:
        raise NotFound(kind, str(given)[:64], field=field)
    return parsed
