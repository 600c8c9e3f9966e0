"""Which team a client may be given to."""

from __future__ import annotations

from tieline.errors import NotFound, PlanTooSmall
from tieline.ids import TeamId
from tieline.practices.plan import Plan
from tieline.practices.repository import PracticeRepository
from tieline.principal import Principal


async def check_team(principal: Principal, team_id: TeamId | None) -> None:
    """The team stays until the transaction ends. Raises NotFound, and PlanTooSmall; no team is always fine."""
    if team_id is None:
        return
    practice = PracticeRepository.of(principal.practice_id)
    if not await practice.hold_team(team_id):
        raise NotFound("team", team_id, field="teamId")
    if (await practice.get()).plan is not Plan.ADVANCED:
        raise PlanTooSmall("Assigning a team", Plan.ADVANCED, field="teamId")
