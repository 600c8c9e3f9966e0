"""Changing what is known of a client."""

from __future__ import annotations

from typing import Annotated, TypeVar

import strawberry

from tieline.clients.editing import UNMENTIONED, ClientChanges, Unmentioned, update_client
from tieline.ids import ClientId, TeamId
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.user_errors import EXPECTED, UserError

T = TypeVar("T")


@strawberry.input(
    description="What to change of a client. What is left out stays; null, or an empty text, clears it: the team, null "
    "alone. What differs from before, no ledger overwrites any more; a value sent as it stands changes nothing."
)
class UpdateClientInput:
    id: strawberry.ID
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 200 characters; it cannot be cleared."
    )
    legal_name: str | None = strawberry.field(default=strawberry.UNSET, description="1 to 200 characters.")
    practice_code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="1 to 64 characters, unique within the practice; case counts. Needs MANAGE_CONNECTIONS.",
    )
    team_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Needs the plan ADVANCED and MANAGE_CONNECTIONS."
    )
    country: str | None = strawberry.field(
        default=strawberry.UNSET, description="ISO 3166 alpha-2, such as GB."
    )
    currency: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 4217, such as GBP.")

    def read(self) -> ClientChanges:
        """Raises NotFound for a team id that is none."""
        return ClientChanges(
            name=_said(self.name),
            legal_name=_said(self.legal_name),
            practice_code=_said(self.practice_code),
            team_id=self._team(),
            country=_said(self.country),
            currency=_said(self.currency),
        )

    def _team(self) -> TeamId | Unmentioned | None:
        if self.team_id is strawberry.UNSET:
            return UNMENTIONED
        return None if self.team_id is None else TeamId(read_id("team", self.team_id, field="teamId"))


@strawberry.type(description="A client that was changed.")
class UpdateClientPayload:
    client: Client | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type
class ClientEdits:
    @strawberry.mutation(
        description="Change details of a client. Needs MANAGE_CONNECTIONS, or to be an administrator of the client; "
        "for the team and the practice code to be an administrator is not enough."
    )
    async def update_client(
        self, info: Info, input: Annotated[UpdateClientInput, GIVEN]
    ) -> UpdateClientPayload:
        try:
            client_id = ClientId(read_id("client", input.id))
            updated = await update_client(info.context.principal, client_id, input.read())
        except EXPECTED as error:
            return UpdateClientPayload(client=None, errors=UserError.of(error))
        return UpdateClientPayload(client=Client.of(updated), errors=[])


def _said(given: T) -> T | Unmentioned:
    return UNMENTIONED if given is strawberry.UNSET else given
