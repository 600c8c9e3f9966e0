"""Reading lists of connections."""

from __future__ import annotations

from collections.abc import Collection

from tieline.clients.service import read_search
from tieline.connections.listing.repository import ConnectionListing, ConnectionQuery
from tieline.connections.repository import Connection
from tieline.connections.states import Reason, Status
from tieline.database import scope
from tieline.ids import ClientId, CredentialId, OrganisationId, PersonId, TeamId
from tieline.pages import Direction, Page, chosen, decode_cursor, list_of, listed_by, page_size
from tieline.plugins import Product
from tieline.principal import Principal


async def list_connections(
    principal: Principal,
    *,
    search: str | None = None,
    direction: Direction = Direction.ASC,
    products: Collection[Product] = (),
    providers: Collection[str] = (),
    team_ids: Collection[TeamId] = (),
    statuses: Collection[Status] = (),
    reasons: Collection[Reason] = (),
    client_id: ClientId | None = None,
    integrated_by: PersonId | None = None,
    credential_id: CredentialId | None = None,
    organisation_id: OrganisationId | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[Connection]:
    """A page of the current connections of the clients that the caller sees, by the client's name.

    Raises Invalid (page size, search, a filter of too many) and CursorInvalid.
    """
    query = ConnectionQuery(
        words=read_search(search),
        direction=direction,
        products=frozenset(products),
        providers=chosen(providers, field="provider"),
        team_ids=chosen(team_ids, field="teamIds"),
        statuses=frozenset(statuses),
        reasons=frozenset(reasons),
        client_id=client_id,
        integrated_by=integrated_by,
        credential_id=credential_id,
        organisation_id=organisation_id,
    )
    listed = list_of("connections", principal.practice_id, *listed_by(query))
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        return await ConnectionListing.visible_to(principal).page(
            query, after=start, first=size, listed=listed
        )
