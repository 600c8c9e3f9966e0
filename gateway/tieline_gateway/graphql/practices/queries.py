"""Questions about the caller and its practice."""

from __future__ import annotations

import strawberry

from tieline.practices import service
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.practices.types import Team, Viewer


@strawberry.type
class PracticeQueries:
    @strawberry.field(description="Who is asking, where, and what it may do.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(await service.view(info.context.principal))

    @strawberry.field(
        description="The practice's teams by name; for members of the practice and services. For others, none."
    )
    async def teams(self, info: Info) -> list[Team]:
        return [Team.of(team) for team in await service.list_teams(info.context.principal)]
