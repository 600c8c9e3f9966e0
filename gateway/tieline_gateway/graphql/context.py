"""What one operation carries: who asks, and the loaders that gather what its fields ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from tieline.ids import TeamId
from tieline.practices import service as practices
from tieline.practices.repository import Team
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True)
class Context:
    """Made anew for each operation, never for a socket: loaders and authority must not grow stale."""

    principal: Principal
    team_by_id: DataLoader[TeamId, Team | None]

    @classmethod
    def of(cls, principal: Principal) -> Context:
        async def teams(ids: list[TeamId]) -> list[Team | None]:
            found = {team.id: team for team in await practices.list_teams(principal, ids)}
            return [found.get(team_id) for team_id in ids]

        return cls(principal=principal, team_by_id=DataLoader(teams))


Info: TypeAlias = strawberry.Info[Context, None]
