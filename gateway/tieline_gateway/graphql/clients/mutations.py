"""Changes to clients."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.clients import service
from tieline.clients.service import NewClient
from tieline.ids import ClientId, TeamId
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(
    description="A new client. An empty text is as good as none; white space around is dropped."
)
class CreateClientInput:
    name: str = strawberry.field(description="1 to 200 characters.")
    legal_name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    practice_code: str | None = strawberry.field(
        default=None, description="1 to 64 characters, unique within the practice; case counts."
    )
    team_id: strawberry.ID | None = strawberry.field(default=None, description="Needs the plan ADVANCED.")
    country: str | None = strawberry.field(default=None, description="ISO 3166 alpha-2, such as GB.")
    currency: str | None = strawberry.field(default=None, description="ISO 4217, such as GBP.")

    def read(self) -> NewClient:
        """Raises NotFound for a team id that is none."""
        team_id = None if self.team_id is None else TeamId(read_id("team", self.team_id, field="teamId"))
        return NewClient(
            name=self.name,
            legal_name=self.legal_name,
            practice_code=self.practice_code,
            team_id=team_id,
            country=self.country,
            currency=self.currency,
        )


@strawberry.input(description="Another name for a client.")
class RenameClientInput:
    id: strawberry.ID
    name: str = strawberry.field(description="1 to 200 characters.")


@strawberry.input(description="A client to delete.")
class DeleteClientInput:
    id: strawberry.ID


@strawberry.type(description="A client that was added.")
class CreateClientPayload:
    client: Client | None = strawberry.field(description="The new client; null when none was made.")
    errors: list[UserError]


@strawberry.type(description="A client with another name.")
class RenameClientPayload:
    client: Client | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type(description="A client that is no longer there.")
class DeleteClientPayload:
    deleted_client_id: strawberry.ID | None = strawberry.field(description="Null when nothing was deleted.")
    errors: list[UserError]


@strawberry.type
class ClientMutations:
    @strawberry.mutation(description="Add a client. Needs the permission MANAGE_CONNECTIONS.")
    async def create_client(
        self, info: Info, input: Annotated[CreateClientInput, GIVEN]
    ) -> CreateClientPayload:
        try:
            created = await service.create_client(info.context.principal, input.read())
        except EXPECTED as error:
            return CreateClientPayload(client=None, errors=UserError.of(error))
        return CreateClientPayload(client=Client.of(created), errors=[])

    @strawberry.mutation(
        description="Give a client another name. Needs MANAGE_CONNECTIONS, or to be an administrator of the client."
    )
    async def rename_client(
        self, info: Info, input: Annotated[RenameClientInput, GIVEN]
    ) -> RenameClientPayload:
        try:
            client_id = ClientId(read_id("client", input.id))
            renamed = await service.rename_client(info.context.principal, client_id, input.name)
        except EXPECTED as error:
            return RenameClientPayload(client=None, errors=UserError.of(error))
        return RenameClientPayload(client=Client.of(renamed), errors=[])

    @strawberry.mutation(
        description="Delete a client with all that belongs to it: hidden at once, removed soon after. Its connections "
        "end, and their organisations can be connected to other clients. Needs MANAGE_CONNECTIONS; "
        "to be an administrator of the client is not enough."
    )
    async def delete_client(
        self, info: Info, input: Annotated[DeleteClientInput, GIVEN]
    ) -> DeleteClientPayload:
        try:
            client_id = ClientId(read_id("client", input.id))
            await service.delete_client(info.context.principal, client_id)
        except EXPECTED as error:
            return DeleteClientPayload(deleted_client_id=None, errors=UserError.of(error))
        return DeleteClientPayload(deleted_client_id=strawberry.ID(str(client_id)), errors=[])
