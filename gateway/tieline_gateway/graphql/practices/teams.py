"""Changes to teams."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.ids import PersonId, TeamId
from tieline.practices.teams import service
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.practices.types import Team
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(description="A new team.")
class CreateTeamInput:
    name: str = strawberry.field(description="1 to 200 characters, and no other team's.")


@strawberry.input(description="Another name for a team.")
class RenameTeamInput:
    id: strawberry.ID
    name: str = strawberry.field(description="1 to 200 characters, and no other team's.")


@strawberry.input(description="Who is in a team.")
class SetTeamMembersInput:
    id: strawberry.ID
    person_ids: list[strawberry.ID] = strawberry.field(
        description="All of its members, who are members of the practice; at most 1,000. Others leave it."
    )


@strawberry.input(description="A team to delete.")
class DeleteTeamInput:
    id: strawberry.ID
    move_clients_to: strawberry.ID | None = strawberry.field(
        default=None, description="The team that its clients go to, if it has any. Needs the plan ADVANCED."
    )


@strawberry.type(description="A team that was made or changed.")
class TeamPayload:
    team: Team | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type(description="A team that is no longer there.")
class DeleteTeamPayload:
    deleted_team_id: strawberry.ID | None = strawberry.field(description="Null when nothing was deleted.")
    errors: list[UserError]


@strawberry.type
class TeamMutations:
    @strawberry.mutation(description="Add a team. For practice admins.")
    async def create_team(self, info: Info, input: Annotated[CreateTeamInput, GIVEN]) -> TeamPayload:
        try:
            team = await service.create_team(info.context.principal, input.name)
        except EXPECTED as error:
            return TeamPayload(team=None, errors=UserError.of(error))
        return TeamPayload(team=Team.of(team), errors=[])

    @strawberry.mutation(description="Give a team another name. For practice admins.")
    async def rename_team(self, info: Info, input: Annotated[RenameTeamInput, GIVEN]) -> TeamPayload:
        try:
            team_id = TeamId(read_id("team", input.id))
            team = await service.rename_team(info.context.principal, team_id, input.name)
        except EXPECTED as error:
            return TeamPayload(team=None, errors=UserError.of(error))
        return TeamPayload(team=Team.of(team), errors=[])

    @strawberry.mutation(
        description="Say who is in a team; members whose access is by list see its clients. For practice admins."
    )
    async def set_team_members(self, info: Info, input: Annotated[SetTeamMembersInput, GIVEN]) -> TeamPayload:
        try:
            team_id = TeamId(read_id("team", input.id))
            people = [PersonId(read_id("member", one, field="personIds")) for one in input.person_ids]
            team = await service.set_team_members(info.context.principal, team_id, people)
        except EXPECTED as error:
            return TeamPayload(team=None, errors=UserError.of(error))
        return TeamPayload(team=Team.of(team), errors=[])

    @strawberry.mutation(
        description="Delete a team; one that has clients only with the team that they go to. For practice admins."
    )
    async def delete_team(self, info: Info, input: Annotated[DeleteTeamInput, GIVEN]) -> DeleteTeamPayload:
        try:
            team_id = TeamId(read_id("team", input.id))
            target = (
                None
                if input.move_clients_to is None
                else TeamId(read_id("team", input.move_clients_to, field="moveClientsTo"))
            )
            await service.delete_team(info.context.principal, team_id, moves_clients_to=target)
        except EXPECTED as error:
            return DeleteTeamPayload(deleted_team_id=None, errors=UserError.of(error))
        return DeleteTeamPayload(deleted_team_id=strawberry.ID(str(team_id)), errors=[])
