"""Moving a connection to another organisation."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.connections.changing import change_connection
from tieline.ids import ConnectionId, OrganisationId, SignInId
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(description="A connection, and the organisation to move its client's product to.")
class ChangeConnectionInput:
    connection_id: strawberry.ID = strawberry.field(description="The connection to leave.")
    sign_in_id: strawberry.ID = strawberry.field(
        description="A sign-in of the caller's that is usable, at any provider."
    )
    organisation_id: strawberry.ID = strawberry.field(description="One that the sign-in reaches.")


@strawberry.type(description="The connection that stands in the place of the one before.")
class ChangeConnectionPayload:
    connection: Connection | None = strawberry.field(description="The new one; null when nothing changed.")
    errors: list[UserError]


@strawberry.type
class ConnectionChanges:
    @strawberry.mutation(
        description="Move a client's product to another organisation, of the same provider or another one: the "
        "connection ends, its books are kept, and a new one stands in its place. The same again changes nothing. "
        "Needs MANAGE_CONNECTIONS, or to be an administrator of the client."
    )
    async def change_connection(
        self, info: Info, input: Annotated[ChangeConnectionInput, GIVEN]
    ) -> ChangeConnectionPayload:
        try:
            changed = await change_connection(
                info.context.principal,
                ConnectionId(read_id("connection", input.connection_id, field="connectionId")),
                SignInId(read_id("sign-in", input.sign_in_id, field="signInId")),
                OrganisationId(read_id("organisation", input.organisation_id, field="organisationId")),
            )
        except EXPECTED as error:
            return ChangeConnectionPayload(connection=None, errors=UserError.of(error))
        return ChangeConnectionPayload(connection=Connection.of(changed), errors=[])
