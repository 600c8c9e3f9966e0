"""What is done with members: look at them, change what they may and see, let them go and take them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieline.activity.kinds import MemberChanged, PersonDeactivated, PersonReactivated
from tieline.database import scope
from tieline.errors import Invalid, LastAdmin, MemberNeeded, NotFound
from tieline.ids import ClientId, PersonId, TeamId
from tieline.names import name_key
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.practices.api_keys.ending import HandedOver, end_keys_known_to
from tieline.practices.authority import change_authority, hold_practice
from tieline.practices.invitations.repository import InvitationRepository
from tieline.practices.members.repository import Member, MemberQuery, MemberRepository
from tieline.practices.repository import Person, PracticeRepository
from tieline.principal import ClientAccess, Permission, Principal, Role
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.work import Work, retrying, unit_of_work

MAX_CLIENTS = 5_000
MAX_TEAMS = 200
_SEARCH_LENGTH, _SEARCH_WORDS = 200, 8


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberChange:
    """What is to be otherwise; None leaves it. Teams and clients are all that there are to be."""

    role: Role | None = None
    permissions: frozenset[Permission] | None = None
    client_access: ClientAccess | None = None
    team_ids: Sequence[TeamId] | None = None
    client_ids: Sequence[ClientId] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deactivated:
    """Somebody who comes in no more, and what became of the keys that it made for others."""

    person: Person
    keys: HandedOver


async def list_members(
    principal: Principal,
    *,
    search: str | None = None,
    role: Role | None = None,
    team_id: TeamId | None = None,
    deactivated: bool = False,
    first: int | None = None,
    after: str | None = None,
) -> Page[Member]:
    """A page of the practice's members by name. `search`: each of its words begins a word of the name.

    Raises Forbidden (for members and services only), NotFound (team), Invalid (page size, search) and CursorInvalid.
    """
    _require_insider(principal)
    query = MemberQuery(words=_words(search), role=role, team_id=team_id, deactivated=deactivated)
    listed = list_of("members", principal.practice_id, query.words, role, team_id, deactivated)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        if team_id and not await PracticeRepository.of(principal.practice_id).teams([team_id]):
            raise NotFound("team", team_id, field="teamId")
        return await MemberRepository.of(principal.practice_id).page(
            query, after=start, first=size, listed=listed
        )


async def get_member(principal: Principal, person_id: PersonId) -> Member:
    """Raises Forbidden (for members and services only) and NotFound."""
    _require_insider(principal)
    async with scope(principal.practice_id):
        return await _member(MemberRepository.of(principal.practice_id), person_id)


@retrying
async def update_member(principal: Principal, person_id: PersonId, change: MemberChange) -> Member:
    """Change a member's role, permissions, and which clients it sees; what it has open goes by that at once.

    Who is no admin any more keeps no key that acts as somebody else.
    Raises Forbidden, NotFound (member, team, client), LastAdmin and Invalid (too many teams or clients).
    """
    principal.require_admin()
    _check_bounds(change)
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        members = MemberRepository.of(principal.practice_id)
        standing = await _member(members, person_id)
        if change.role is Role.MEMBER and standing.role is Role.ADMIN:
            await _keep_an_admin(members, standing.person, field="role")
        await _check_there(principal, change)

        if await _write(members, standing, change):
            await change_authority(work, principal.practice_id, [person_id])
            if change.role is Role.MEMBER:
                await InvitationRepository.of(principal.practice_id).end_unfounded(person_id, at=work.now)
                await end_keys_known_to(work, practice, person_id, calling=principal.api_key_id)
            changed = await _member(members, person_id)
            work.did(_told(changed, change))
            return changed
    return standing


@retrying
async def deactivate_person(
    principal: Principal, person_id: PersonId, *, and_keys_of_services: bool = False
) -> Deactivated:
    """End what a person may here, its keys too; its place is kept for a return, and what hangs on its logins goes on.

    With its own keys those end that it made to act as others, and only where it is asked those of services.
    Raises Forbidden, NotFound and LastAdmin; harmless when repeated.
    """
    principal.require_admin()
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        person = await _person(practice, person_id)
        if person.deactivated_at is None:
            await _keep_an_admin(MemberRepository.of(principal.practice_id), person, field="personId")
            await end_person(work, practice, person_id)
            work.did(PersonDeactivated(person_id=person_id))
        keys = await end_keys_known_to(
            work, practice, person_id, calling=principal.api_key_id, with_services=and_keys_of_services
        )
        return Deactivated(person=await _person(practice, person_id), keys=keys)


@retrying
async def reactivate_person(principal: Principal, person_id: PersonId) -> Person:
    """Let a person come in again with the place that it had; keys that ended stay so.

    Raises Forbidden and NotFound; harmless when repeated.
    """
    principal.require_admin()
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        person = await _person(practice, person_id)
        if person.deactivated_at is None:
            return person

        await practice.set_deactivated(person_id, at=None)
        await change_authority(work, principal.practice_id, [person_id])
        work.did(PersonReactivated(person_id=person_id))
        return await _person(practice, person_id)


async def end_person(work: Work, practice: PracticeRepository, person_id: PersonId) -> None:
    """Deactivate somebody and end its keys, the invitations that it made and its trips to consent pages, at once."""
    await practice.set_deactivated(person_id, at=work.now)
    await practice.revoke_keys_of(person_id, at=work.now)
    await change_authority(work, practice.practice_id, [person_id])
    await InvitationRepository.of(practice.practice_id).end_unfounded(person_id, at=work.now)
    await RoundRepository.of(practice.practice_id).close_oldest(person_id, keep=0, at=work.now)


async def _person(practice: PracticeRepository, person_id: PersonId) -> Person:
    """Raises NotFound."""
    person = await practice.person(person_id)
    if person is None:
        raise NotFound("person", person_id, field="personId")
    return person


async def _member(members: MemberRepository, person_id: PersonId) -> Member:
    member = await members.get(person_id)
    if member is None:
        raise NotFound("member", person_id, field="personId")
    return member


async def _keep_an_admin(members: MemberRepository, person: Person, *, field: str) -> None:
    """Raises LastAdmin if this is an active admin, and nobody else is one."""
    standing = await members.get(person.id)
    if standing is None or standing.role is not Role.ADMIN or person.deactivated_at is not None:
        return
    if not await members.other_admins(person.id):
        raise LastAdmin(field=field)


async def _check_there(principal: Principal, change: MemberChange) -> None:
    """Raises NotFound for a team or a client that is not the practice's."""
    if change.team_ids:
        known = await PracticeRepository.of(principal.practice_id).teams(list(change.team_ids))
        if unknown := set(change.team_ids) - {team.id for team in known}:
            raise NotFound("team", min(unknown), field="teamIds")
    if change.client_ids and (
        missing := await MemberRepository.of(principal.practice_id).missing_clients(change.client_ids)
    ):
        raise NotFound("client", missing[0], field="clientIds")


async def _write(members: MemberRepository, standing: Member, change: MemberChange) -> bool:
    """Whether anything is otherwise now."""
    role = change.role or standing.role
    permissions = standing.permissions if change.permissions is None else change.permissions
    access = change.client_access or standing.client_access
    before = (standing.role, frozenset(standing.permissions), standing.client_access)
    changed = before != (role, frozenset(permissions), access)
    if changed:
        await members.update(
            standing.person.id, role=role, permissions=frozenset(permissions), client_access=access
        )
    if change.team_ids is not None:
        changed = await members.set_teams(standing.person.id, set(change.team_ids)) or changed
    if change.client_ids is not None:
        changed = await members.set_clients(standing.person.id, set(change.client_ids)) or changed
    return changed


def _told(changed: Member, change: MemberChange) -> MemberChanged:
    return MemberChanged(
        person_id=changed.person.id,
        role=changed.role,
        permissions=changed.permissions,
        client_access=changed.client_access,
        team_ids=changed.team_ids,
        listed_clients=None if change.client_ids is None else changed.listed_clients,
    )


def _require_insider(principal: Principal) -> None:
    if not principal.is_insider:
        raise MemberNeeded


def _check_bounds(change: MemberChange) -> None:
    """Raises Invalid."""
    if change.team_ids is not None and len(change.team_ids) > MAX_TEAMS:
        raise Invalid(
            f"A member is in at most {MAX_TEAMS} teams; these are {len(change.team_ids)}.", field="teamIds"
        )
    if change.client_ids is not None and len(change.client_ids) > MAX_CLIENTS:
        raise Invalid(
            f"At most {MAX_CLIENTS} clients are listed for a member; these are {len(change.client_ids)}: "
            "let the member see all, or those of its teams.",
            field="clientIds",
        )


def _words(search: str | None) -> tuple[str, ...]:
    """Raises Invalid for one that is too long."""
    key = "".join(character for character in name_key(search or "") if character.isprintable())
    words = tuple(dict.fromkeys(key.split()))
    if len(search or "") > _SEARCH_LENGTH or len(words) > _SEARCH_WORDS:
        raise Invalid(
            f"A search has at most {_SEARCH_LENGTH} characters and {_SEARCH_WORDS} words.", field="search"
        )
    return words
