"""Setting up practices, people, teams and keys, for the command line; and what a caller sees of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tieline.database import scope, system_scope
from tieline.errors import Invalid, LastAdmin, NotFound
from tieline.ids import ClientId, PersonId, PracticeId, TeamId, new_id
from tieline.names import clean_name, name_key
from tieline.practices.api_keys.ending import HandedOver, end_keys_known_to
from tieline.practices.authority import change_authority
from tieline.practices.changing import check_consent_life
from tieline.practices.invitations.repository import InvitationRepository
from tieline.practices.members.service import end_person
from tieline.practices.models import PersonRow, PracticeMemberRow, PracticeRow, TeamRow
from tieline.practices.plan import Plan
from tieline.practices.repository import (
    Member,
    Person,
    Practice,
    PracticeRepository,
    Team,
    all_practices,
    find_practice,
)
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role
from tieline.work import Work, retrying, unit_of_work

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
_MAX_ECHOED = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMember:
    """A person who joins a practice. `teams` are names; with LISTED access they say which clients are seen."""

    name: str
    email: str
    role: Role
    permissions: frozenset[Permission] = frozenset()
    client_access: ClientAccess = ClientAccess.ALL
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPractice:
    id: PracticeId
    admin_id: PersonId


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """The caller as it sees itself; a service key has no person."""

    principal: Principal
    practice: Practice
    person: Person | None


async def view(principal: Principal) -> Viewer:
    async with scope(principal.practice_id):
        repository = PracticeRepository.of(principal.practice_id)
        person = await repository.person(principal.person_id) if principal.person_id else None
        return Viewer(principal=principal, practice=await repository.get(), person=person)


async def list_teams(principal: Principal, ids: list[TeamId] | None = None) -> list[Team]:
    """The practice's teams by name, or those of these ids. For members and services; for others, none."""
    if not principal.is_insider:
        return []
    async with scope(principal.practice_id):
        return await PracticeRepository.of(principal.practice_id).teams(ids)


async def list_people(principal: Principal, ids: list[PersonId]) -> list[Person]:
    """Those of these ids who belong to the practice: for what names a person that the caller may know of.

    Who only belongs to a client gets names, and no e-mail addresses but its own.
    """
    async with scope(principal.practice_id):
        people = await PracticeRepository.of(principal.practice_id).people(ids)
    return [person if _sees_email(principal, person) else replace(person, email=None) for person in people]


async def create_practice(name: str, *, admin: NewMember, plan: Plan = Plan.STANDARD) -> NewPractice:
    """Add a practice with its first admin to the deployment, both or neither. Raises Invalid."""
    practice_id = PracticeId(new_id())
    cleaned = clean_name(name, field="name")
    async with system_scope():
        if there := await find_practice(cleaned):
            raise Invalid(f"There is a practice of this name already: {there[0][0]}.", field="name")
    async with unit_of_work(Principal.machine(practice_id)) as work:
        repository = PracticeRepository.of(practice_id)
        await repository.add(
            PracticeRow(id=practice_id, name=cleaned, plan=plan, settings={}, created_at=work.now)
        )
        admin_id = await _add_member(work, repository, admin)
    return NewPractice(id=practice_id, admin_id=admin_id)


@retrying
async def set_consent_life(practice_id: PracticeId, days: int | None) -> None:
    """Say how many days a consent lasts, those that were given already too; None: it does not run out by itself.

    Raises Invalid (less than a day, more than ten years): the sweeps of all practices reckon with it.
    """
    check_consent_life(days, field="days")
    async with unit_of_work(Principal.machine(practice_id)):
        await PracticeRepository.of(practice_id).set_consent_life(days)


@retrying
async def create_team(practice_id: PracticeId, name: str) -> TeamId:
    """Raises Invalid; the same name again is the same team."""
    cleaned = clean_name(name, field="name")
    async with unit_of_work(Principal.machine(practice_id)) as work:
        repository = PracticeRepository.of(practice_id)
        there = await repository.team_named(cleaned)
        if there is not None:
            return there.id
        row = TeamRow(id=new_id(), practice_id=practice_id, name=cleaned, created_at=work.now)
        await repository.add(row)
    return TeamId(row.id)


@retrying
async def add_member(practice_id: PracticeId, member: NewMember) -> PersonId:
    """Add a person to the practice as a member. Raises Invalid (an e-mail address joins once) and NotFound."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        return await _add_member(work, PracticeRepository.of(practice_id), member)


@retrying
async def add_client_member(
    practice_id: PracticeId, *, name: str, email: str, client_id: ClientId, role: ClientRole
) -> PersonId:
    """Let a person administer or read one client; one who is known by the address is that person.

    Raises Invalid and NotFound (client); asked for again, the role is what was asked for last.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        repository = PracticeRepository.of(practice_id)
        await repository.lock()
        person_id = await _find_or_add_person(work, repository, name, email)
        if not await repository.list_client(client_id, person_id, role=role, at=work.now):
            raise NotFound("client", client_id, field="clientId")
        await InvitationRepository.of(practice_id).end_unfounded(person_id, at=work.now)
    return person_id


async def _add_member(work: Work, repository: PracticeRepository, member: NewMember) -> PersonId:
    person_id = await _find_or_add_person(work, repository, member.name, member.email)
    await repository.add(
        PracticeMemberRow(
            person_id=person_id,
            practice_id=repository.practice_id,
            role=member.role,
            permissions=sorted(member.permissions),
            client_access=member.client_access,
            created_at=work.now,
        )
    )
    for name in member.teams:
        team = await repository.team_named(name)
        if team is None:
            raise NotFound("team", name, field="teams")
        await repository.join_team(person_id, team.id)
    return person_id


async def _find_or_add_person(work: Work, repository: PracticeRepository, name: str, email: str) -> PersonId:
    kept = read_email(email)
    known = await repository.person_by_email(kept)
    if known is not None:
        if known.deactivated_at is not None:
            await _let_in_again(repository, known.id)
        await change_authority(work, repository.practice_id, [known.id])  # what holds its sockets looks again
        return known.id
    cleaned = clean_name(name, field="name")
    person = PersonRow(
        id=new_id(),
        practice_id=repository.practice_id,
        name=cleaned,
        name_key=name_key(cleaned),
        email=kept,
        created_at=work.now,
    )
    await repository.add(person)
    return PersonId(person.id)


async def _let_in_again(repository: PracticeRepository, person_id: PersonId) -> None:
    """Whoever is added again is meant to come in, but to nothing that it was deactivated in. Raises Invalid."""
    await repository.lock()
    if await repository.members_among([person_id]):
        raise Invalid(
            "Somebody of this e-mail address is deactivated and still a member of the practice: "
            "reactivate the person, or remove the member first.",
            field="email",
        )
    await repository.set_deactivated(person_id, at=None)


def read_email(text: str) -> str:
    """As it is kept: in lower case and without white space around it, so that one address is one person."""
    kept = text.strip().lower()  # first: some letters are several then, and may be too many
    if not _EMAIL.fullmatch(kept) or not kept.isprintable():
        raise Invalid(f"{_clipped(text)!r} is not an e-mail address.", field="email")
    return kept


def _clipped(text: str) -> str:
    return text if len(text) <= _MAX_ECHOED else f"{text[:_MAX_ECHOED]}…"


def _sees_email(principal: Principal, person: Person) -> bool:
    return principal.is_insider or principal.person_id == person.id


async def list_practices() -> list[Practice]:
    """Every practice of the deployment, for the operator."""
    async with system_scope():
        return await all_practices()


async def list_members(practice_id: PracticeId) -> list[Member]:
    async with scope(practice_id):
        return await PracticeRepository.of(practice_id).members()


async def remove_member(practice_id: PracticeId, person_id: PersonId) -> HandedOver:
    """Take a person out of the practice; its keys end at once, and those that it made to act as others.

    Those of services that it made work on. Raises LastAdmin and NotFound.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        repository = PracticeRepository.of(practice_id)
        await repository.lock()
        admins = [member.person.id for member in await repository.members() if member.is_active_admin]
        if admins == [person_id]:
            raise LastAdmin
        if not await repository.remove_member(person_id):
            raise NotFound("member", person_id)
        await end_person(work, repository, person_id)
        return await end_keys_known_to(work, repository, person_id, calling=None)


async def locate_practice(name_or_id: str) -> PracticeId:
    """The practice an operator means. Raises Invalid where there is none, or several of the name."""
    async with system_scope():
        found = await find_practice(name_or_id)
    if not found:
        raise Invalid(f"There is no practice {name_or_id!r}: 'tieline practice list' shows those there are.")
    if len(found) > 1:
        ids = " and ".join(str(practice_id) for practice_id, _ in found)
        raise Invalid(f"Several practices are called {name_or_id!r} ({ids}); name the one by its id.")
    return found[0][0]


async def locate_person(practice_id: PracticeId, email: str) -> PersonId:
    """The person of this e-mail address in the practice. Raises Invalid."""
    async with scope(practice_id):
        person = await PracticeRepository.of(practice_id).person_by_email(email.lower())
    if person is None:
        raise Invalid(
            f"Nobody in the practice has the e-mail address {email}: 'tieline member list' shows who has."
        )
    return person.id
