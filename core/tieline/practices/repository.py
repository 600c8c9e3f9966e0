"""The SQL of practices, their people, teams and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tieline.database import current
from tieline.ids import ApiKeyId, PersonId, PracticeId, TeamId
from tieline.practices.models import (
    ApiKeyRow,
    PersonRow,
    PracticeMemberRow,
    PracticeRow,
    TeamRow,
)
from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, Permission, Principal, Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Practice:
    id: PracticeId
    name: str
    plan: Plan
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    id: PersonId
    name: str
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    id: TeamId
    name: str


class PracticeRepository:
    """One practice and what belongs to it."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> PracticeRepository:
        return cls(practice_id)

    async def get(self) -> Practice:
        """The practice; a caller's own is always there."""
        row = await PracticeRow.get(id=self._practice_id)
        return Practice(id=PracticeId(row.id), name=row.name, plan=row.plan, created_at=row.created_at)

    async def person(self, person_id: PersonId) -> Person | None:
        row = await PersonRow.get_or_none(practice_id=self._practice_id, id=person_id)
        return Person(id=PersonId(row.id), name=row.name, email=row.email) if row else None

    async def teams(self, ids: Sequence[TeamId] | None = None) -> list[Team]:
        """These teams, or all of them, by name."""
        wanted = TeamRow.filter(practice_id=self._practice_id)
        if ids is not None:
            wanted = wanted.filter(id__in=list(ids))
        return [Team(id=TeamId(row.id), name=row.name) for row in await wanted.order_by("name", "id")]

    async def person_by_email(self, email: str) -> Person | None:
        row = await PersonRow.filter(practice_id=self._practice_id, email=email).order_by("id").first()
        return Person(id=PersonId(row.id), name=row.name, email=row.email) if row else None

    async def add(self, *rows: PracticeRow | PersonRow | TeamRow | PracticeMemberRow | ApiKeyRow) -> None:
        """Insert the rows in this order."""
        for row in rows:
            await row.save(force_create=True)

    async def revoke_key(self, key_id: ApiKeyId, *, at: datetime) -> bool:
        """Whether there was such a key that still worked."""
        alive = ApiKeyRow.filter(practice_id=self._practice_id, id=key_id, revoked_at=None)
        return await alive.update(revoked_at=at) == 1


_PRINCIPAL = """
SELECT k.id, k.practice_id, k.person_id, k.scopes, m.role, m.permissions, m.client_access
  FROM api_key AS k
  LEFT JOIN practice_member AS m ON m.practice_id = k.practice_id AND m.person_id = k.person_id
 WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)
"""


async def principal_of_key(key_hash: bytes, *, at: datetime) -> Principal | None:
    """Who calls with the key of this hash; None when it is unknown, revoked or expired. System scope."""
    row = await current().row(_PRINCIPAL, key_hash, at)
    if row is None:
        return None
    is_service = row["person_id"] is None
    scopes = None if row["scopes"] is None else frozenset(Permission(scope) for scope in row["scopes"])
    role = Role.ADMIN if is_service else row["role"] and Role(row["role"])
    held = row["permissions"] or () if role is not Role.ADMIN else Permission
    return Principal(
        practice_id=row["practice_id"],
        person_id=row["person_id"],
        api_key_id=row["id"],
        role=role or None,
        client_access=ClientAccess(row["client_access"] or ClientAccess.LISTED),
        permissions=frozenset(Permission(permission) for permission in held),
        key_scopes=scopes,
    )


async def find_practice(name_or_id: str) -> list[tuple[PracticeId, str]]:
    """Practices of this name or id, at most two: more than one cannot be meant. System scope."""
    rows = await current().rows(
        "SELECT id, name FROM practice WHERE name = $1 OR id::text = $1 ORDER BY id LIMIT 2", name_or_id
    )
    return [(row["id"], row["name"]) for row in rows]


async def practice_of_key(key_id: UUID) -> PracticeId | None:
    """Which practice a key belongs to. System scope."""
    found: PracticeId | None = await current().value("SELECT practice_id FROM api_key WHERE id = $1", key_id)
    return found
