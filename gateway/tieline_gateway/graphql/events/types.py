"""One event, as front ends see it: what happened, and what it happened to as it is now."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from typing import TypeVar
from uuid import UUID

import strawberry

from tieline.connections.states import Reason
from tieline.events.repository import Recorded
from tieline.ids import ClientId, ConnectionId, OrganisationId
from tieline.plugins import Product
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.connections.types import Connection, Organisation
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.events.kinds import ConnectionEventKind, kind_of
from tieline_gateway.graphql.events.naming import connection_of, organisation_of, run_of
from tieline_gateway.graphql.sync.types import SyncLimit

E = TypeVar("E", bound=StrEnum)


@strawberry.type(
    description="Something that happened to a client, to one of its connections, or to a sync of its organisation. "
    "What it happened to is shown as it is when the event is sent."
)
class ConnectionEvent:
    cursor: str = strawberry.field(description="Its identity, and the place to go on from.")
    kind: Enum = strawberry.field(graphql_type=ConnectionEventKind)
    at: datetime = strawberry.field(
        description="When it happened. Events stand in the order of their commits."
    )
    client_id: strawberry.ID | None = strawberry.field(description="Whom it is about, also when it is gone.")
    connection_id: strawberry.ID | None = strawberry.field(description="Null where no single one is meant.")
    product: Product | None = strawberry.field(description="The connection's.")
    reason: Reason | None = strawberry.field(description="Of CONNECTION_EXPIRED and CONNECTION_WARNING: why.")
    mismatch: bool | None = strawberry.field(
        description="Of CONNECTION_MISMATCH_CHANGED: whether the names differ now."
    )
    expires_at: datetime | None = strawberry.field(description="Of CONNECTION_WARNING: when it will expire.")
    sync_run_id: strawberry.ID | None = strawberry.field(description="Of the SYNC_ kinds.")
    sync_reason: str | None = strawberry.field(
        description="Of SYNC_FAILED: why, by the words of SyncRun.reason."
    )
    limit: SyncLimit | None = strawberry.field(description="Of SYNC_PAUSED: what is spent.")
    resume_at: datetime | None = strawberry.field(description="Of SYNC_PAUSED: when it goes on by itself.")
    client_key: strawberry.Private[ClientId | None]
    connection_key: strawberry.Private[ConnectionId | None]
    organisation_key: strawberry.Private[OrganisationId | None]

    @strawberry.field(description="Null when it is gone.")
    async def client(self, info: Info) -> Client | None:
        found = self.client_key and await info.context.loaders.client.load(self.client_key)
        return Client.of(found) if found else None

    @strawberry.field(description="Null where no single one is meant, and when its client is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = self.connection_key and await info.context.loaders.connection.load(self.connection_key)
        return Connection.of(found) if found else None

    @strawberry.field(
        description="The connection's or the sync's; null where none is meant, and when it is gone."
    )
    async def organisation(self, info: Info) -> Organisation | None:
        found = self.organisation_key and await info.context.loaders.organisation.load(self.organisation_key)
        return Organisation.of(found) if found else None

    @classmethod
    def of(cls, event: Recorded) -> ConnectionEvent:
        told = event.payload
        connection, run, organisation = connection_of(event), run_of(event), organisation_of(event)
        return cls(
            cursor=event.cursor.encode(),
            kind=kind_of(event.kind),
            at=event.at,
            client_id=_id(event.client_id),
            connection_id=_id(connection),
            product=_member(Product, told.get("product")),
            reason=None if run else _member(Reason, told.get("reason")),
            mismatch=told.get("mismatch"),
            expires_at=_instant(told.get("expires_at")),
            sync_run_id=_id(run),
            sync_reason=told.get("reason") if run else None,
            limit=SyncLimit(name=told["limit"], organisation_id=organisation) if "limit" in told else None,
            resume_at=_instant(told.get("resume_at")),
            client_key=event.client_id,
            connection_key=connection,
            organisation_key=organisation,
        )


def _id(id: UUID | None) -> strawberry.ID | None:
    return strawberry.ID(str(id)) if id else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _member(words: type[E], word: str | None) -> E | None:
    """None for a word that only a newer version knows."""
    return words(word) if word is not None and word in words.__members__ else None
