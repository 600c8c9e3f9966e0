"""Setting up practices, people, teams and keys, for the command line; and what a caller sees of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from tieline import clock
from tieline.database import scope, system_scope
from tieline.errors import Invalid, NotFound
from tieline.ids import ApiKeyId, PersonId, PracticeId, TeamId, new_id
from tieline.names import clean_name
from tieline.practices.keys import make_key
from tieline.practices.models import ApiKeyRow, PersonRow, PracticeMemberRow, PracticeRow, TeamRow
from tieline.practices.plan import Plan
from tieline.practices.repository import (
    Person,
    Practice,
    PracticeRepository,
    Team,
    find_practice,
    practice_of_key,
)
from tieline.principal import ClientAccess, Permission, Principal, Role
from tieline.vault import Secret
from tieline.work import unit_of_work

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedKey:
    """A new API key; `secret` is shown to a person once and never again."""

    id: ApiKeyId
    prefix: str
    secret: Secret


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
    """The practice's teams by name, or those of these ids. Members of the practice only; for others, none."""
    if principal.role is None:
        return []
    async with scope(principal.practice_id):
        return await PracticeRepository.of(principal.practice_id).teams(ids)


async def create_practice(name: str, *, plan: Plan = Plan.STANDARD) -> PracticeId:
    """Add a practice to the deployment. Raises Invalid."""
    practice_id = PracticeId(new_id())
    cleaned = clean_name(name, field="name")
    async with unit_of_work(Principal.machine(practice_id)) as work:
        row = PracticeRow(id=practice_id, name=cleaned, plan=plan, settings={}, created_at=work.now)
        await PracticeRepository.of(practice_id).add(row)
    return practice_id


async def create_team(practice_id: PracticeId, name: str) -> TeamId:
    """Raises Invalid; the same name again is the same team."""
    cleaned = clean_name(name, field="name")
    async with unit_of_work(Principal.machine(practice_id)) as work:
        repository = PracticeRepository.of(practice_id)
        for team in await repository.teams():
            if team.name == cleaned:
                return team.id
        row = TeamRow(id=new_id(), practice_id=practice_id, name=cleaned, created_at=work.now)
        await repository.add(row)
    return TeamId(row.id)


async def add_member(
    practice_id: PracticeId,
    *,
    name: str,
    email: str,
    role: Role,
    permissions: frozenset[Permission] = frozenset(),
    client_access: ClientAccess = ClientAccess.ALL,
) -> PersonId:
    """Add a person to the practice as a member. Raises Invalid; an e-mail address joins a practice once."""
    if not _EMAIL.fullmatch(email):
        raise Invalid(f"{email!r} is not an e-mail address.", field="email")
    async with unit_of_work(Principal.machine(practice_id)) as work:
        repository = PracticeRepository.of(practice_id)
        if await repository.person_by_email(email) is not None:
            raise Invalid(f"{email} is in this practice already.", field="email")
        person = PersonRow(
            id=new_id(),
            practice_id=practice_id,
            name=clean_name(name, field="name"),
            email=email,
            created_at=work.now,
        )
        member = PracticeMemberRow(
            person_id=person.id,
            practice_id=practice_id,
            role=role,
            permissions=sorted(permissions),
            client_access=client_access,
            created_at=work.now,
        )
        await repository.add(person, member)
    return PersonId(person.id)


async def issue_key(
    practice_id: PracticeId,
    *,
    name: str,
    person_id: PersonId | None,
    scopes: frozenset[Permission] | None = None,
    life: timedelta | None = None,
) -> IssuedKey:
    """Make an API key for a person or, without one, for a service, which needs scopes. Raises Invalid."""
    if person_id is None and scopes is None:
        raise Invalid("A service key needs its permissions named.", field="scopes")
    fresh = make_key()
    async with unit_of_work(Principal.machine(practice_id)) as work:
        row = ApiKeyRow(
            id=new_id(),
            practice_id=practice_id,
            person_id=person_id,
            name=clean_name(name, field="name"),
            prefix=fresh.prefix,
            hash=fresh.hash,
            scopes=None if scopes is None else sorted(scopes),
            created_at=work.now,
            expires_at=None if life is None else work.now + life,
        )
        await PracticeRepository.of(practice_id).add(row)
    return IssuedKey(id=ApiKeyId(row.id), prefix=fresh.prefix, secret=fresh.secret)


async def revoke_key(key_id: ApiKeyId) -> None:
    """End a key at once, for the operator. Raises NotFound."""
    async with system_scope():
        practice_id = await practice_of_key(key_id)
    if practice_id is None:
        raise NotFound("key", key_id)
    async with unit_of_work(Principal.machine(practice_id)):
        await PracticeRepository.of(practice_id).revoke_key(key_id, at=clock.now())


async def locate_practice(name_or_id: str) -> PracticeId:
    """The practice an operator means. Raises NotFound and, where two share the name, Invalid."""
    async with system_scope():
        found = await find_practice(name_or_id)
    if not found:
        raise NotFound("practice", name_or_id)
    if len(found) > 1:
        raise Invalid(f"Several practices are called {name_or_id!r}; name the one by its id.")
    return found[0][0]


async def locate_person(practice_id: PracticeId, email: str) -> PersonId:
    """The person of this e-mail address in the practice. Raises NotFound."""
    async with scope(practice_id):
        person = await PracticeRepository.of(practice_id).person_by_email(email)
    if person is None:
        raise NotFound("person", email)
    return person.id
