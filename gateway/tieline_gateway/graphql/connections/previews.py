"""What disconnecting would do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from tieline.connections.previews import service
from tieline.connections.previews.repository import Sharing
from tieline.ids import ConnectionId
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.connections.mutations import DisconnectInput
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import LOOKED_AT, read_id, told_of_input
from tieline_gateway.transport.rows import RowsOf


@strawberry.type(description="Other clients that are connected through the same sign-in.")
class SharedSignIn:
    clients: list[Client] = strawberry.field(
        description="Those that the caller sees, by name; the first 50 of them.",
        metadata=RowsOf(part=None, most=service.MAX_NAMES).declared,
    )
    hidden: int = strawberry.field(description="How many more there are that the caller does not see.")
    total: int = strawberry.field(description="How many there are, whether the caller sees them or not.")

    @classmethod
    def of(cls, sharing: Sharing) -> SharedSignIn:
        return cls(
            clients=[Client.of(client) for client in sharing.clients],
            hidden=sharing.hidden,
            total=sharing.total,
        )


@strawberry.type(description="What `disconnect` would do at this moment; others may change it meanwhile.")
class DisconnectPreview:
    connection: Connection = strawberry.field(description="The one to disconnect.")
    sharing: SharedSignIn = strawberry.field(description="Who else uses the sign-in, and goes on untouched.")
    other_products: list[Connection] = strawberry.field(
        description="The client's connections of other products through the same sign-in, which go on untouched."
    )
    releases_organisation: bool = strawberry.field(
        description="Whether the organisation is let go of at the provider: no other connection uses it through this "
        "sign-in. False where the sign-in is over already, and of what is disconnected."
    )
    ends_consent: bool = strawberry.field(
        description="Whether the whole consent is revoked at the provider: no other connection hangs on it. False "
        "where it is over already, and of what is disconnected."
    )
    keeps_until: datetime | None = strawberry.field(
        description="Nothing is let go of before: up to then a sign-in can be used to connect the organisation "
        "again, or somebody may come back from the provider with one. The consent goes last, when no sign-in reaches "
        "anything of it. Null for at once, and where nothing is let go of."
    )

    @classmethod
    def of(cls, preview: service.DisconnectPreview) -> DisconnectPreview:
        return cls(
            connection=Connection.of(preview.connection),
            sharing=SharedSignIn.of(preview.sharing),
            other_products=[Connection.of(each) for each in preview.other_products],
            releases_organisation=preview.releases_organisation,
            ends_consent=preview.ends_consent,
            keeps_until=preview.keeps_until,
        )


@strawberry.type
class ConnectionPreviews:
    @strawberry.field(
        description="What disconnecting a connection would do. Null, with an error: NOT_FOUND for one that is unknown, "
        "not to be seen, or ended, FORBIDDEN for who may not disconnect it."
    )
    async def disconnect_preview(
        self, info: Info, input: Annotated[DisconnectInput, LOOKED_AT]
    ) -> DisconnectPreview | None:
        with told_of_input():
            found = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            preview = await service.preview_disconnect(info.context.principal, found)
        return DisconnectPreview.of(preview)
