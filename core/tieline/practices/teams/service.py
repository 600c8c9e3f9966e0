"""What practice admins do with teams: make, rename, fill and delete them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tieline.activity.kinds import TeamCreated, TeamDeleted, TeamMembersChanged, TeamRenamed
from tieline.database import scope
from tieline.errors import Invalid, NameTaken, NotFound, PlanTooSmall, TeamInUse
from tieline.ids import PersonId, TeamId, new_id
from tieline.names import clean_name
from tieline.practices.authority import change_authority, hold_practice
from tieline.practices.plan import Plan
from tieline.practices.repository import PracticeRepository, Team
from tieline.practices.teams.repository import TeamRepository, TeamSize, sizes
from tieline.principal import Principal
from tieline.work import retrying, unit_of_work

MAX_MEMBERS = 1_000


async def team_sizes(principal: Principal, ids: Collection[TeamId]) -> list[TeamSize]:
    """Of those of these teams that there are; for members and services. For others, none."""
    if not principal.is_insider:
        return []
    async with scope(principal.practice_id):
        return await sizes(principal, ids)


@retrying
async def create_team(principal: Principal, name: str) -> Team:
    """Raises Forbidden, Invalid and NameTaken."""
    principal.require_admin()
    cleaned = clean_name(name, field="name")
    async with unit_of_work(principal) as work:
        await _check_name(await hold_practice(work, principal), cleaned, of=None)
        team = Team(id=TeamId(new_id()), name=cleaned)
        await TeamRepository.of(principal.practice_id).add(team, at=work.now)
        work.did(TeamCreated(team_id=team.id))
    return team


@retrying
async def rename_team(principal: Principal, team_id: TeamId, name: str) -> Team:
    """Raises Forbidden, NotFound, Invalid and NameTaken; the same name again changes nothing."""
    principal.require_admin()
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        teams = TeamRepository.of(principal.practice_id)
        team = await _locked(teams, team_id)
        cleaned = clean_name(name, field="name")
        if cleaned == team.name:
            return team

        await _check_name(practice, cleaned, of=team_id)
        await teams.rename(team_id, cleaned)
        work.did(TeamRenamed(team_id=team_id))
    return Team(id=team_id, name=cleaned)


@retrying
async def set_team_members(principal: Principal, team_id: TeamId, people: Sequence[PersonId]) -> Team:
    """Make these members of the practice the team's, and nobody else. What they see changes with it.

    Raises Forbidden, NotFound (team; somebody who is no member of the practice) and Invalid (more than 1,000).
    """
    principal.require_admin()
    if len(people) > MAX_MEMBERS:
        raise Invalid(
            f"A team has at most {MAX_MEMBERS} members; these are {len(people)}.", field="personIds"
        )
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        teams = TeamRepository.of(principal.practice_id)
        team = await _locked(teams, team_id)
        unknown = set(people) - await practice.members_among(people)
        if unknown:
            raise NotFound("member", min(unknown), field="personIds")

        changed = await teams.set_members(team_id, set(people))
        if changed:
            await change_authority(work, principal.practice_id, changed)
            work.did(TeamMembersChanged(team_id=team_id, person_ids=tuple(changed)))
    return team


@retrying
async def delete_team(principal: Principal, team_id: TeamId, *, moves_clients_to: TeamId | None) -> Team:
    """Take the team away; its clients go to another one where that is named. What it was.

    Raises Forbidden, NotFound (either team), TeamInUse (it has clients), Invalid and PlanTooSmall (to move them).
    """
    principal.require_admin()
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        teams = TeamRepository.of(principal.practice_id)
        team = await _locked(teams, team_id)
        if moves_clients_to is not None:
            await _check_target(practice, teams, team_id, moves_clients_to)
        elif count := await teams.count_clients(team_id):
            raise TeamInUse(team.name, count, field="id")

        await teams.move_clients(team_id, moves_clients_to, deleted_only=moves_clients_to is None)
        await change_authority(work, principal.practice_id, await teams.members(team_id))
        await teams.delete(team_id)
        work.did(TeamDeleted(team_id=team_id, moves_clients_to=moves_clients_to))
    return team


async def _locked(teams: TeamRepository, team_id: TeamId) -> Team:
    team = await teams.lock(team_id)
    if team is None:
        raise NotFound("team", team_id, field="id")
    return team


async def _check_name(practice: PracticeRepository, name: str, *, of: TeamId | None) -> None:
    """Raises NameTaken, also where another team's name differs by case alone: nobody could tell the two apart."""
    for team in await practice.teams():
        if team.id != of and team.name.casefold() == name.casefold():
            raise NameTaken("team", team.name, field="name")


async def _check_target(
    practice: PracticeRepository, teams: TeamRepository, team_id: TeamId, target: TeamId
) -> None:
    if await teams.lock(target) is None:
        raise NotFound("team", target, field="moveClientsTo")
    if target == team_id:
        raise Invalid("Name another team for the clients than the one to delete.", field="moveClientsTo")
    if (await practice.get()).plan is not Plan.ADVANCED:
        raise PlanTooSmall("Assigning a team", Plan.ADVANCED, field="moveClientsTo")
