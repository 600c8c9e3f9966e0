"""Questions about clients."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.clients import service
from tieline.ids import ClientId, PersonId
from tieline.pages import DEFAULT_PAGE
from tieline_gateway.graphql.clients.types import Client, ClientPage, ClientSort
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import Id, read_id

_SEARCH = (
    "Each word must begin a word of the name; case and accents do not count, nor do signs between words."
)
_AFTER = "A cursor of this same list: another sort, search or filter refuses it."


@strawberry.type
class ClientQueries:
    @strawberry.field(
        description="The clients the caller may see. Null, with an error, for a bad page size, cursor, search or id."
    )
    async def clients(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=_AFTER)] = None,
        search: Annotated[str | None, strawberry.argument(description=_SEARCH)] = None,
        sort: Annotated[ClientSort, strawberry.argument(description="In which order.")] = ClientSort(),  # noqa: B008 - frozen by the schema as the argument's default
        listed_for: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only those that are listed by name for the member of this id."),
        ] = None,
    ) -> ClientPage | None:
        named = None if listed_for is None else PersonId(read_id("member", listed_for, field="listedFor"))
        page = await service.list_clients(
            info.context.principal,
            search=search,
            direction=sort.direction,
            listed_for=named,
            first=first,
            after=after,
        )
        return ClientPage.of(page)

    @strawberry.field(description="One client. Unknown, or not to be seen: the error NOT_FOUND.")
    async def client(self, info: Info, id: Id) -> Client | None:
        client_id = ClientId(read_id("client", id))
        return Client.of(await service.get_client(info.context.principal, client_id))
