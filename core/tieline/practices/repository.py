"""The SQL of practices, their people, teams and keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError

from tieline.database import current
from tieline.errors import Busy, Invalid
from tieline.ids import ApiKeyId, ClientId, PersonId, PracticeId, TeamId
from tieline.names import name_key
from tieline.practices.models import (
    ApiKeyRow,
    PersonRow,
    PracticeMemberRow,
    PracticeRow,
    TeamRow,
)
from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, ClientRole, Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Practice:
    """`consent_life_days` None: consents do not run out by themselves; `syncs_paused_at` None: syncs come so."""

    id: PracticeId
    name: str
    plan: Plan
    consent_life_days: int | None
    syncs_paused_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """`email` is None for those who may not see it."""

    id: PersonId
    name: str
    email: str | None
    deactivated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    id: TeamId
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A person's place in the practice."""

    person: Person
    role: Role
    client_access: ClientAccess
    permissions: tuple[str, ...]

    @property
    def is_active_admin(self) -> bool:
        return self.role is Role.ADMIN and self.person.deactivated_at is None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRecord:
    """What is kept of an API key besides its hash. `scopes` None: all that the person may.

    `made_by` is who made it, None on the command line, and `made_with` the key that its maker called with, None for a
    token of an issuer as well.
    `last_used_at` is right to the hour.
    """

    id: ApiKeyId
    name: str
    prefix: str
    person_id: PersonId | None
    scopes: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    made_by: PersonId | None
    made_with: ApiKeyId | None
    last_used_at: datetime | None

    def state(self, at: datetime) -> str:
        """In one word, at this calendar instant."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "works"


_PRACTICE = "id, name, plan, consent_life_days, syncs_paused_at, created_at"
_PERSON = "id, name, email, deactivated_at"


class PracticeRepository:
    """One practice and what belongs to it."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> PracticeRepository:
        return cls(practice_id)

    async def get(self) -> Practice:
        """The practice; a caller's own is always there."""
        row = await current().row(f"SELECT {_PRACTICE} FROM practice WHERE id = $1", self.practice_id)
        assert row is not None
        return _practice(row)

    async def lock(self) -> None:
        """Keep others from changing who belongs to the practice until the transaction ends."""
        await current().value("SELECT id FROM practice WHERE id = $1 FOR NO KEY UPDATE", self.practice_id)

    async def rename(self, name: str) -> None:
        await current().run("UPDATE practice SET name = $2 WHERE id = $1", self.practice_id, name)

    async def set_plan(self, plan: Plan) -> None:
        sql = "UPDATE practice SET plan = $2 WHERE id = $1"
        await current().run(sql, self.practice_id, plan.value)

    async def set_consent_life(self, days: int | None) -> None:
        sql = "UPDATE practice SET consent_life_days = $2 WHERE id = $1"
        await current().run(sql, self.practice_id, days)

    async def set_syncs_paused(self, at: datetime | None) -> None:
        sql = "UPDATE practice SET syncs_paused_at = $2 WHERE id = $1"
        await current().run(sql, self.practice_id, at)

    async def raise_authority(self, people: Collection[PersonId]) -> None:
        """So that it is seen that what these may has changed; locked in one order."""
        await current().run(
            "WITH locked AS (SELECT id FROM person WHERE practice_id = $1 AND id = ANY ($2::uuid[]) "
            "ORDER BY id FOR NO KEY UPDATE) "
            "UPDATE person SET authority = authority + 1 WHERE practice_id = $1 AND id IN (SELECT id FROM locked)",
            self.practice_id,
            list(people),
        )

    async def members_among(self, people: Collection[PersonId]) -> set[PersonId]:
        """Those of these who are members, also while they are deactivated."""
        rows = await PracticeMemberRow.filter(practice_id=self.practice_id, person_id__in=list(people))
        return {PersonId(row.person_id) for row in rows}

    async def person(self, person_id: PersonId) -> Person | None:
        found = await self.people([person_id])
        return found[0] if found else None

    async def people(self, ids: Sequence[PersonId]) -> list[Person]:
        """Those of these ids that there are."""
        rows = await current().rows(
            f"SELECT {_PERSON} FROM person WHERE practice_id = $1 AND id = ANY ($2::uuid[])",
            self.practice_id,
            list(ids),
        )
        return [_person(row) for row in rows]

    async def teams(self, ids: Sequence[TeamId] | None = None) -> list[Team]:
        """These teams, or all of them, by name."""
        wanted = TeamRow.filter(practice_id=self.practice_id)
        if ids is not None:
            wanted = wanted.filter(id__in=list(ids))
        found = [_team(row) for row in await wanted]
        return sorted(found, key=lambda team: (name_key(team.name), team.name))

    async def hold_team(self, team_id: TeamId) -> bool:
        """Keep the team from being deleted until the transaction ends; whether there is one."""
        sql = "SELECT id FROM team WHERE practice_id = $1 AND id = $2 FOR KEY SHARE"
        return await current().value(sql, self.practice_id, team_id) is not None

    async def person_by_email(self, email: str) -> Person | None:
        row = await current().row(
            f"SELECT {_PERSON} FROM person WHERE practice_id = $1 AND email = $2", self.practice_id, email
        )
        return _person(row) if row else None

    async def team_named(self, name: str) -> Team | None:
        row = await TeamRow.get_or_none(practice_id=self.practice_id, name=name)
        return _team(row) if row else None

    async def add(self, *rows: PracticeRow | PersonRow | TeamRow | PracticeMemberRow | ApiKeyRow) -> None:
        """Insert the rows in this order. Raises Invalid for a second membership, and Busy."""
        try:
            for row in rows:
                await row.save(force_create=True)
        except IntegrityError as conflict:
            if "practice_member_pkey" in str(conflict):
                raise Invalid(
                    "Somebody of this e-mail address is a member already.", field="email"
                ) from conflict
            if "team_name_once" in str(conflict) or "person_email_once" in str(conflict):
                raise Busy from conflict  # somebody made the same at this moment: the next try finds it
            raise

    async def join_team(self, person_id: PersonId, team_id: TeamId) -> None:
        await current().run(
            "INSERT INTO member_team (practice_id, person_id, team_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            self.practice_id,
            person_id,
            team_id,
        )

    async def list_client(
        self, client_id: ClientId, person_id: PersonId, *, role: ClientRole, at: datetime
    ) -> bool:
        """Make the person a member of the client; whether there is such a client."""
        done = await current().run(
            "INSERT INTO client_member (practice_id, person_id, client_id, role, created_at) "
            "SELECT c.practice_id, $2, c.id, $4, $5 FROM client AS c "
            "WHERE c.practice_id = $1 AND c.id = $3 AND c.deleted_at IS NULL "
            "ON CONFLICT (practice_id, person_id, client_id) DO UPDATE SET role = excluded.role",
            self.practice_id,
            person_id,
            client_id,
            role.value,
            at,
        )
        return done == 1

    async def keys(self) -> list[KeyRecord]:
        rows = await ApiKeyRow.filter(practice_id=self.practice_id).order_by("-created_at", "id")
        return [
            KeyRecord(
                id=ApiKeyId(row.id),
                name=row.name,
                prefix=row.prefix,
                person_id=PersonId(row.person_id) if row.person_id else None,
                scopes=None if row.scopes is None else tuple(row.scopes),
                created_at=row.created_at,
                expires_at=row.expires_at,
                revoked_at=row.revoked_at,
                made_by=PersonId(row.made_by) if row.made_by else None,
                made_with=ApiKeyId(row.made_with) if row.made_with else None,
                last_used_at=row.last_used_at,
            )
            for row in rows
        ]

    async def members(self) -> list[Member]:
        """Who is a member, by name."""
        rows = await current().rows(
            "SELECT p.id, p.name, p.email, p.deactivated_at, m.role, m.client_access, m.permissions "
            "FROM practice_member AS m JOIN person AS p ON p.practice_id = m.practice_id AND p.id = m.person_id "
            "WHERE m.practice_id = $1 ORDER BY p.name_key, p.id",
            self.practice_id,
        )
        return [
            Member(
                person=_person(row),
                role=Role(row["role"]),
                client_access=ClientAccess(row["client_access"]),
                permissions=tuple(row["permissions"]),
            )
            for row in rows
        ]

    async def remove_member(self, person_id: PersonId) -> bool:
        """End the membership; whether there was one. Other records of the person stay."""
        gone = await PracticeMemberRow.filter(practice_id=self.practice_id, person_id=person_id).delete()
        return gone == 1

    async def set_deactivated(self, person_id: PersonId, *, at: datetime | None) -> None:
        """From when on the person may nothing; None: it may come in again."""
        sql = "UPDATE person SET deactivated_at = $3 WHERE practice_id = $1 AND id = $2"
        await current().run(sql, self.practice_id, person_id, at)

    async def revoke_keys_of(self, person_id: PersonId, *, at: datetime) -> None:
        alive = ApiKeyRow.filter(practice_id=self.practice_id, person_id=person_id, revoked_at=None)
        await alive.update(revoked_at=at)

    async def revoke_keys(self, ids: Collection[ApiKeyId], *, at: datetime) -> None:
        """Those of these that nobody has revoked yet."""
        alive = ApiKeyRow.filter(practice_id=self.practice_id, id__in=list(ids), revoked_at=None)
        await alive.update(revoked_at=at)


async def find_practice(name_or_id: str) -> list[tuple[PracticeId, str]]:
    """Practices of this name or id, at most two: more than one cannot be meant. System scope."""
    rows = await current().rows(
        "SELECT id, name FROM practice WHERE name = $1 OR id::text = $1 ORDER BY id LIMIT 2", name_or_id
    )
    return [(row["id"], row["name"]) for row in rows]


async def keys_called(id_or_prefix: str) -> list[tuple[PracticeId, ApiKeyId]]:
    """The keys of this id or beginning, at most two: more than one cannot be meant. System scope."""
    rows = await current().rows(
        "SELECT practice_id, id FROM api_key WHERE id::text = lower($1) OR prefix = $1 ORDER BY id LIMIT 2",
        id_or_prefix,
    )
    return [(row["practice_id"], row["id"]) for row in rows]


async def all_practices() -> list[Practice]:
    """Every practice of the deployment, by name. System scope."""
    rows = await current().rows(f"SELECT {_PRACTICE} FROM practice ORDER BY name, id")
    return [_practice(row) for row in rows]


def _practice(row: Any) -> Practice:
    return Practice(
        id=row["id"],
        name=row["name"],
        plan=Plan(row["plan"]),
        consent_life_days=row["consent_life_days"],
        syncs_paused_at=row["syncs_paused_at"],
        created_at=row["created_at"],
    )


def _person(row: Any) -> Person:
    return Person(id=row["id"], name=row["name"], email=row["email"], deactivated_at=row["deactivated_at"])


def _team(row: TeamRow) -> Team:
    return Team(id=TeamId(row.id), name=row.name)
