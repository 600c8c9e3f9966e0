"""Reading what callers send: an id that is not one of ours names nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.types.base import StrawberryOptional, get_object_definition
from strawberry.utils.str_converters import to_camel_case

from tieline.errors import NotFound, Refused
from tieline.ids import parse_id

Row = TypeVar("Row", bound=type)

_PLAIN = {bool, int, str, strawberry.ID}

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


def made_at_once(row: Row) -> Row:
    """For an input of which thousands come in one list: it is made without a look at the type of each of its parts.

    GraphQL has checked them by then. Raises TypeError for an input with a part that would have to be converted.
    """
    definition = get_object_definition(row, strict=True)
    parts = {part.graphql_name or to_camel_case(part.python_name): part for part in definition.fields}
    for part in parts.values():
        kind = part.resolve_type()
        if (kind.of_type if isinstance(kind, StrawberryOptional) else kind) not in _PLAIN:
            raise TypeError(f"{row.__name__}.{part.python_name} is no scalar that comes as it is")
    names = {told: part.python_name for told, part in parts.items()}

    def made(row: type, given: Mapping[str, Any], _context: object) -> object:
        return row(**{names[told]: value for told, value in given.items()})

    definition.from_input = made
    return row
