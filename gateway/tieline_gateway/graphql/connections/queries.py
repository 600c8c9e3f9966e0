"""Questions about connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from tieline.connections import service
from tieline.connections.board.service import list_board
from tieline.connections.listing.service import list_connections
from tieline.connections.states import Reason, Status
from tieline.errors import NotFound
from tieline.ids import ClientId, ConnectionId, PersonId, TeamId
from tieline.instants import read_instant
from tieline.pages import DEFAULT_PAGE, chosen
from tieline.plugins import Product
from tieline_gateway.graphql.connections.board import ConnectionBoardPage, ConnectionBoardSort
from tieline_gateway.graphql.connections.types import Connection, ConnectionPage
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import Id, read_id

_SEARCH = "Each word must begin a word of the client's name; case and accents do not count, nor do signs between words."
_AFTER = "A cursor of this same list: another sort, search or filter refuses it."
_STATUSES = "Only lines with one of these statuses; a mismatch is also CONNECTED."
_REASONS = "Only what is EXPIRED for one of these reasons."
_TEAMS = "Only clients of one of the teams of these ids, of 100 at most."
_INTEGRATED_BY = "Only what hangs on the consent of the person of this id."
_EXPIRING = "Only what works now and will expire earlier than this instant."

First = Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")]
After = Annotated[str | None, strawberry.argument(description=_AFTER)]
Search = Annotated[str | None, strawberry.argument(description=_SEARCH)]
Statuses = Annotated[list[Status] | None, strawberry.argument(description=_STATUSES)]
Reasons = Annotated[list[Reason] | None, strawberry.argument(description=_REASONS)]
TeamIds = Annotated[list[strawberry.ID] | None, strawberry.argument(description=_TEAMS)]
IntegratedBy = Annotated[strawberry.ID | None, strawberry.argument(description=_INTEGRATED_BY)]


@strawberry.type
class ConnectionQueries:
    @strawberry.field(
        description="One connection, current or ended. Unknown, or not to be seen: the error NOT_FOUND."
    )
    async def connection(self, info: Info, id: Id) -> Connection | None:
        connection_id = ConnectionId(read_id("connection", id))
        return Connection.of(await service.get_connection(info.context.principal, connection_id))

    @strawberry.field(
        description="The current connections of the clients the caller may see, by the client's name. "
        "Null, with an error, for a bad page size, cursor, search or id."
    )
    async def connections(
        self,
        info: Info,
        first: First = DEFAULT_PAGE,
        after: After = None,
        client_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this client's.")
        ] = None,
        provider: Annotated[
            str | None, strawberry.argument(description="Only at the provider of this short name.")
        ] = None,
        product: Annotated[
            Product | None, strawberry.argument(description="Only those for this product.")
        ] = None,
        integrated_by: IntegratedBy = None,
        statuses: Statuses = None,
        reasons: Reasons = None,
        team_ids: TeamIds = None,
        search: Search = None,
    ) -> ConnectionPage | None:
        page = await list_connections(
            info.context.principal,
            search=search,
            products=[] if product is None else [product],
            providers=[] if provider is None else [provider],
            team_ids=await _teams(info, team_ids or ()),
            statuses=statuses or (),
            reasons=reasons or (),
            client_id=await _client(info, client_id),
            integrated_by=await _person(info, integrated_by),
            first=first,
            after=after,
        )
        return ConnectionPage.of(page)

    @strawberry.field(
        description="Every client of the practice with its current connection of one product; for practice admins. "
        "Null, with an error, for others, and for a bad page size, cursor, search, instant or id."
    )
    async def connection_board(
        self,
        info: Info,
        product: Annotated[Product, strawberry.argument(description="What the connections are for.")],
        first: First = DEFAULT_PAGE,
        after: After = None,
        search: Search = None,
        sort: Annotated[
            ConnectionBoardSort, strawberry.argument(description="In which order.")
        ] = ConnectionBoardSort(),  # noqa: B008 - frozen by the schema as the argument's default
        statuses: Statuses = None,
        providers: Annotated[
            list[str] | None,
            strawberry.argument(description="Only lines connected to one of these providers, by short name."),
        ] = None,
        reasons: Reasons = None,
        team_ids: TeamIds = None,
        integrated_by: IntegratedBy = None,
        *,
        with_warnings: Annotated[
            bool, strawberry.argument(description="Only lines whose connection has a warning.")
        ] = False,
        expiring_before: Annotated[datetime | None, strawberry.argument(description=_EXPIRING)] = None,
    ) -> ConnectionBoardPage | None:
        page = await list_board(
            info.context.principal,
            product,
            search=search,
            sort=sort.field,
            direction=sort.direction,
            providers=providers or (),
            team_ids=await _teams(info, team_ids or ()),
            integrated_by=await _person(info, integrated_by),
            statuses=statuses or (),
            reasons=reasons or (),
            with_warnings=with_warnings,
            expiring_before=expiring_before and read_instant(expiring_before, field="expiringBefore"),
            first=first,
            after=after,
        )
        return ConnectionBoardPage.of(page)


async def _client(info: Info, given: strawberry.ID | None) -> ClientId | None:
    """Raises NotFound for a client that the caller may not see."""
    if given is None:
        return None
    client_id = ClientId(read_id("client", given, field="clientId"))
    if await info.context.loaders.client.load(client_id) is None:
        raise NotFound("client", client_id, field="clientId")
    return client_id


async def _person(info: Info, given: strawberry.ID | None) -> PersonId | None:
    """Raises NotFound for somebody who is not of the practice."""
    if given is None:
        return None
    person_id = PersonId(read_id("person", given, field="integratedBy"))
    if await info.context.loaders.person.load(person_id) is None:
        raise NotFound("person", person_id, field="integratedBy")
    return person_id


async def _teams(info: Info, given: Sequence[strawberry.ID]) -> frozenset[TeamId]:
    """Raises NotFound for what is no team of the practice, and Invalid for too many."""
    ids = chosen([TeamId(read_id("team", each, field="teamIds")) for each in given], field="teamIds")
    known = await info.context.loaders.team.load_many(ids)
    for team_id, team in zip(ids, known, strict=True):
        if team is None:
            raise NotFound("team", team_id, field="teamIds")
    return ids
