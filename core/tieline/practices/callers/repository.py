"""The SQL of who may come in: who belongs to a practice, and which keys work. It is said here and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from tieline.database import current
from tieline.ids import ApiKeyId, PersonId, PracticeId
from tieline.principal import ClientAccess, Permission, Principal, Role

MAX_PLACES = 100
USE_IS_NOTED_EVERY = timedelta(hours=1)
"""A key that is used all the time costs one write in this."""

Caller: TypeAlias = tuple[PracticeId, PersonId | None, ApiKeyId | None]
"""Whom it is asked about: somebody by a key or not, or the key of a service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a caller still is in the practice; `role` None: no member of it. `is_news` as of a `KeyCaller`.

    `authority` grows with each change of what the person may; a service's does not change.
    """

    role: Role | None
    authority: int
    is_news: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyCaller:
    """Who calls with a key; `is_news`: it is not noted yet that it is in use at this time."""

    principal: Principal
    is_news: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One practice in which somebody is a person, and what it may there."""

    practice_name: str
    principal: Principal


# Of a person `p`; of one that is not there it is false.
_BELONGS = """(p.deactivated_at IS NULL AND (
       EXISTS (SELECT FROM practice_member AS pm WHERE pm.practice_id = p.practice_id AND pm.person_id = p.id)
    OR EXISTS (SELECT FROM client_member AS cm WHERE cm.practice_id = p.practice_id AND cm.person_id = p.id)))"""
# Of a key `k`, at an instant; of one that is not there it is null, which is as good.
_WORKS = "(k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > {at}) AND k.id IS NOT NULL)"
_MEMBER = "LEFT JOIN practice_member AS m ON m.practice_id = p.practice_id AND m.person_id = p.id"

_BY_KEY = f"""
SELECT k.id AS api_key_id, k.practice_id, k.person_id, k.scopes, k.last_used_at,
       m.role, m.permissions, m.client_access
  FROM api_key AS k
  LEFT JOIN person AS p ON p.practice_id = k.practice_id AND p.id = k.person_id
  {_MEMBER}
 WHERE k.hash = $1 AND {_WORKS.format(at="$2")} AND (k.person_id IS NULL OR {_BELONGS})
"""
_NOTE_USE = """
UPDATE api_key SET last_used_at = $2
 WHERE id IN (SELECT id FROM api_key WHERE id = ANY ($1::uuid[]) AND (last_used_at IS NULL OR last_used_at <= $3)
               ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
"""
_BY_SUBJECT = f"""
SELECT NULL::uuid AS api_key_id, p.practice_id, p.id AS person_id, NULL::text[] AS scopes,
       m.role, m.permissions, m.client_access, r.name
  FROM person AS p
  JOIN practice AS r ON r.id = p.practice_id
  {_MEMBER}
 WHERE p.issuer = $1 AND p.subject = $2 AND ($4::uuid IS NULL OR p.practice_id = $4) AND {_BELONGS}
 ORDER BY r.name, p.practice_id
 LIMIT $3
"""
_STANDING = f"""
SELECT c.place, m.role, coalesce(p.authority, 0) AS authority,
       c.api_key_id IS NOT NULL AND (k.last_used_at IS NULL OR k.last_used_at <= $5) AS is_news
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS c (practice_id, person_id, api_key_id, place)
  LEFT JOIN person AS p ON p.practice_id = c.practice_id AND p.id = c.person_id
  {_MEMBER}
  LEFT JOIN api_key AS k ON k.practice_id = c.practice_id AND k.id = c.api_key_id
 WHERE (c.api_key_id IS NULL OR {_WORKS.format(at="$4")})
   AND CASE WHEN c.person_id IS NULL THEN c.api_key_id IS NOT NULL ELSE {_BELONGS} END
"""


async def by_key(key_hash: bytes, *, at: datetime) -> KeyCaller | None:
    """Who calls with the key of this hash; None when it is unknown, revoked, expired, or of somebody who is
    deactivated or belongs to nothing any more. System scope.
    """
    row = await current().row(_BY_KEY, key_hash, at)
    if row is None:
        return None
    used = row["last_used_at"]
    return KeyCaller(principal=_principal(row), is_news=used is None or at - used >= USE_IS_NOTED_EVERY)


async def note_use(key_ids: Collection[ApiKeyId], *, at: datetime) -> None:
    """That the keys are in use; whoever notes it at this moment already, or changes one, is not waited for.

    System scope.
    """
    await current().run(_NOTE_USE, list(key_ids), at, at - USE_IS_NOTED_EVERY)


async def by_subject(issuer: str, subject: str, practice_id: UUID | None) -> list[Place]:
    """Where this subject belongs to a practice or to a client of one, and is not deactivated; at most 100 places.

    With a `practice_id` that place alone. System scope.
    """
    rows = await current().rows(_BY_SUBJECT, issuer, subject, MAX_PLACES, practice_id)
    return [Place(practice_name=row["name"], principal=_principal(row)) for row in rows]


async def standing(callers: Sequence[Caller], *, at: datetime) -> dict[int, Standing]:
    """By their places in `callers`, what those are who would still be let in by their person and key.

    System scope where they are of several practices.
    """
    practices, people, keys = ([caller[part] for caller in callers] for part in range(3))
    rows = await current().rows(_STANDING, practices, people, keys, at, at - USE_IS_NOTED_EVERY)
    return {
        row["place"] - 1: Standing(
            role=Role(row["role"]) if row["role"] else None,
            authority=row["authority"],
            is_news=row["is_news"],
        )
        for row in rows
    }


def _principal(row: Mapping[str, Any]) -> Principal:
    role = Role(row["role"]) if row["role"] else None
    # A service has no person to take permissions from: its scopes are what it holds.
    held = Permission if role is Role.ADMIN or row["person_id"] is None else row["permissions"] or ()
    return Principal(
        practice_id=row["practice_id"],
        person_id=row["person_id"],
        api_key_id=row["api_key_id"],
        role=role,
        client_access=ClientAccess(row["client_access"] or ClientAccess.LISTED),
        permissions=frozenset(Permission(permission) for permission in held),
        key_scopes=None if row["scopes"] is None else frozenset(Permission(scope) for scope in row["scopes"]),
    )
