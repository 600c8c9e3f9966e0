"""What is settled about a connection, and settling it anew."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.connections.settings import service
from tieline.connections.settings.reading import AskedSetting
from tieline.ids import ConnectionId
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(description="A setting, and what it is to be.")
class SettingInput:
    name: str = strawberry.field(description="One that the connection has: `Connection.settings`.")
    value: str | None = strawberry.field(
        default=None, description="By its kind; null, an empty text, or left out: the default."
    )


@strawberry.input(description="A connection, and what to settle about it anew.")
class UpdateSettingsInput:
    connection_id: strawberry.ID
    settings: list[SettingInput] = strawberry.field(description="At most 50; others stay as they are.")


@strawberry.type(description="A connection with other settings.")
class UpdateSettingsPayload:
    connection: Connection | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type
class SettingsMutations:
    @strawberry.mutation(
        description="Settle some things about a current connection anew. All that does not fit is told at once, and "
        "then nothing changes. What is to be read from now on is synced at once, if the connection works. Needs "
        "MANAGE_CONNECTIONS, or to be an administrator of the client."
    )
    async def update_settings(
        self, info: Info, input: Annotated[UpdateSettingsInput, GIVEN]
    ) -> UpdateSettingsPayload:
        try:
            connection_id = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            asked = [AskedSetting(name=each.name, value=each.value) for each in input.settings]
            changed = await service.update_settings(info.context.principal, connection_id, asked)
        except EXPECTED as error:
            return UpdateSettingsPayload(connection=None, errors=UserError.of(error))
        return UpdateSettingsPayload(connection=Connection.of(changed), errors=[])
