"""The field that shows a dataset page by page, with the arguments that all such fields have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import strawberry

from tieline.ids import ConnectionId
from tieline.ledger.datasets import Dataset
from tieline.ledger.reading.repository import LedgerRecord
from tieline.ledger.service import list_records
from tieline.pages import DEFAULT_PAGE
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import read_id
from tieline_gateway.graphql.ledger.pages import Page

T = TypeVar("T")

_CONNECTION = (
    "Whose organisation's books: a connection, current or ended, of a client that the caller may see."
)
_AFTER = "A cursor of this same list: another connection or filter refuses it."
_ACTIVE = "Only those that are active, or only those that are not."
NULL = "Null, with an error, for a bad id, page size or cursor."

Of = Annotated[strawberry.ID, strawberry.argument(description=_CONNECTION)]
First = Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")]
After = Annotated[str | None, strawberry.argument(description=_AFTER)]
Active = Annotated[bool | None, strawberry.argument(description=_ACTIVE)]


def listed(dataset: Dataset, show: Callable[[LedgerRecord], T], description: str) -> Any:
    """A field that lists this dataset; the class that has it names the type."""

    async def page(
        info: Info,
        connection_id: Of,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[T] | None:
        found = await list_records(
            info.context.principal,
            read_connection_id(connection_id),
            dataset,
            active=active,
            first=first,
            after=after,
        )
        return Page.of(found, show)

    return strawberry.field(resolver=page, description=f"{description} {NULL}")


def read_connection_id(given: strawberry.ID) -> ConnectionId:
    return ConnectionId(read_id("connection", given, field="connectionId"))
