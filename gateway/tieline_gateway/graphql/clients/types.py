"""Client, and the page that lists them."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from tieline.clients import repository
from tieline.ids import ClientId, TeamId
from tieline.pages import Direction, Page
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.practices.types import Team

if TYPE_CHECKING:
    from tieline_gateway.graphql.connections.types import Connection


@strawberry.type(description="One business the practice looks after.")
class Client:
    id: strawberry.ID
    name: str
    legal_name: str | None
    practice_code: str | None = strawberry.field(
        description="The practice's own code for the client; unique."
    )
    country: str | None = strawberry.field(description="ISO 3166 alpha-2, such as GB.")
    currency: str | None = strawberry.field(description="ISO 4217, such as GBP.")
    tax_number: str | None = strawberry.field(description="As its ledger has it, such as GB123456789.")
    registration_number: str | None = strawberry.field(
        description="The company's number, as its ledger has it."
    )
    created_at: datetime
    key: strawberry.Private[ClientId]
    team_id: strawberry.Private[TeamId | None]

    @strawberry.field(description="Its current connections, at most one a product.")
    async def connections(
        self, info: Info
    ) -> list[Annotated[Connection, strawberry.lazy("tieline_gateway.graphql.connections.types")]]:
        from tieline_gateway.graphql.connections.types import Connection

        return [Connection.of(found) for found in await info.context.loaders.connections.load(self.key)]

    @strawberry.field(
        description="The team that looks after the client; for members of the practice.",
        graphql_type=Team | None,
    )
    def team(self, info: Info) -> Awaitable[Team | None] | None:
        return _load_team(info, self.team_id) if self.team_id else None

    @classmethod
    def of(cls, client: repository.Client) -> Client:
        return cls(
            id=strawberry.ID(str(client.id)),
            name=client.name,
            legal_name=client.legal_name,
            practice_code=client.practice_code,
            country=client.country,
            currency=client.currency,
            tax_number=client.tax_number,
            registration_number=client.registration_number,
            created_at=client.created_at,
            key=client.id,
            team_id=client.team_id,
        )


async def _load_team(info: Info, team_id: TeamId) -> Team | None:
    team = await info.context.loaders.team.load(team_id)
    return Team.of(team) if team else None


@strawberry.enum(description="What a list of clients can be sorted by.")
class ClientSortField(StrEnum):
    NAME = "NAME"


@strawberry.input(description="Case, accents and width do not count; equal names stand in a stable order.")
class ClientSort:
    field: ClientSortField = ClientSortField.NAME
    direction: Direction = Direction.ASC


@strawberry.type(description="A client and where it stands in its list.")
class ClientEdge:
    cursor: str
    node: Client


@strawberry.type(description="A page of clients.")
class ClientPage:
    nodes: list[Client]
    edges: list[ClientEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many clients the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[repository.Client]) -> ClientPage:
        nodes = [Client.of(client) for client in page.rows]
        return cls(
            nodes=nodes,
            edges=[
                ClientEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)
            ],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )
