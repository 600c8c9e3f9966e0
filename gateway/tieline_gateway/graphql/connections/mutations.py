"""Changes to connections."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.connections import service
from tieline.ids import ClientId, ConnectionId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline_gateway.graphql.connections.bulk import BulkConnectInput, BulkConnectPayload, connect_rows
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(description="A client, and the organisation to connect it to.")
class ConnectInput:
    sign_in_id: strawberry.ID = strawberry.field(description="A sign-in of the caller's that is usable.")
    client_id: strawberry.ID
    product: Product = strawberry.field(description="What the connection is for.")
    organisation_id: strawberry.ID = strawberry.field(description="One that the sign-in reaches.")


@strawberry.input(description="A connection, and the sign-in that mends it.")
class ReconnectInput:
    connection_id: strawberry.ID
    sign_in_id: strawberry.ID = strawberry.field(
        description="A usable sign-in of the caller's that reaches the same organisation."
    )


@strawberry.input(description="A connection to disconnect.")
class DisconnectInput:
    connection_id: strawberry.ID


@strawberry.input(description="A connection whose names may differ.")
class AcceptMismatchInput:
    connection_id: strawberry.ID


@strawberry.type(description="A client's connection.")
class ConnectPayload:
    connection: Connection | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type(description="A connection that works again.")
class ReconnectPayload:
    connection: Connection | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type(description="A connection that is no longer used.")
class DisconnectPayload:
    connection: Connection | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type(description="A connection whose names may differ.")
class AcceptMismatchPayload:
    connection: Connection | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


_RIGHTS = "Needs MANAGE_CONNECTIONS, or to be an administrator of the client."


@strawberry.type
class ConnectionMutations:
    @strawberry.mutation(
        description=f"Connect a client to an organisation. The same again changes nothing. {_RIGHTS}"
    )
    async def connect(self, info: Info, input: Annotated[ConnectInput, GIVEN]) -> ConnectPayload:
        try:
            connected = await service.connect(
                info.context.principal,
                SignInId(read_id("sign-in", input.sign_in_id, field="signInId")),
                client_id=ClientId(read_id("client", input.client_id, field="clientId")),
                product=input.product,
                organisation_id=OrganisationId(
                    read_id("organisation", input.organisation_id, field="organisationId")
                ),
            )
        except EXPECTED as error:
            return ConnectPayload(connection=None, errors=UserError.of(error))
        return ConnectPayload(connection=Connection.of(connected), errors=[])

    @strawberry.mutation(
        description="Connect up to 1,000 clients at once; each row has an outcome of its own, in the order of the "
        "rows, and good rows are connected whatever the others are: one that is refused stands in no other's way. "
        f"The same again changes nothing. {_RIGHTS}"
    )
    async def bulk_connect(self, info: Info, input: Annotated[BulkConnectInput, GIVEN]) -> BulkConnectPayload:
        try:
            outcomes = await connect_rows(info.context.principal, input)
        except EXPECTED as error:
            return BulkConnectPayload(outcomes=[], errors=UserError.of(error))
        return BulkConnectPayload(outcomes=outcomes, errors=[])

    @strawberry.mutation(
        description="Make a connection work again through the caller's sign-in. Its data and settings stay as they "
        f"are, and it is then integrated by the caller. {_RIGHTS}"
    )
    async def reconnect(self, info: Info, input: Annotated[ReconnectInput, GIVEN]) -> ReconnectPayload:
        try:
            connection_id = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            sign_in_id = SignInId(read_id("sign-in", input.sign_in_id, field="signInId"))
            reconnected = await service.reconnect(info.context.principal, connection_id, sign_in_id)
        except EXPECTED as error:
            return ReconnectPayload(connection=None, errors=UserError.of(error))
        return ReconnectPayload(connection=Connection.of(reconnected), errors=[])

    @strawberry.mutation(
        description="Stop updates of a connection. Its data stays until the client is deleted, and others that share "
        f"the sign-in are untouched. {_RIGHTS}"
    )
    async def disconnect(self, info: Info, input: Annotated[DisconnectInput, GIVEN]) -> DisconnectPayload:
        try:
            connection_id = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            disconnected = await service.disconnect(info.context.principal, connection_id)
        except EXPECTED as error:
            return DisconnectPayload(connection=None, errors=UserError.of(error))
        return DisconnectPayload(connection=Connection.of(disconnected), errors=[])

    @strawberry.mutation(
        description="Let the names of a client and its organisation differ: the connection is no MISMATCH any more, "
        f"until either of the names changes. One that is EXPIRED stays as it is. {_RIGHTS}"
    )
    async def accept_mismatch(
        self, info: Info, input: Annotated[AcceptMismatchInput, GIVEN]
    ) -> AcceptMismatchPayload:
        try:
            connection_id = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            accepted = await service.accept_mismatch(info.context.principal, connection_id)
        except EXPECTED as error:
            return AcceptMismatchPayload(connection=None, errors=UserError.of(error))
        return AcceptMismatchPayload(connection=Connection.of(accepted), errors=[])
