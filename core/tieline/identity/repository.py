"""The SQL of who a subject of the trusted issuer is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tieline.database import current
from tieline.ids import ApiKeyId, PersonId, PracticeId
from tieline.principal import ClientAccess, Permission, Principal, Role

MAX_PLACES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One practice in which somebody is a person, and what it may there."""

    practice_name: str
    principal: Principal


_PLACES = """
SELECT p.practice_id, p.id, r.name, m.role, m.permissions, m.client_access
  FROM person AS p
  JOIN practice AS r ON r.id = p.practice_id
  LEFT JOIN practice_member AS m ON m.practice_id = p.practice_id AND m.person_id = p.id
 WHERE p.issuer = $1 AND p.subject = $2 AND p.deactivated_at IS NULL AND ($4::uuid IS NULL OR p.practice_id = $4)
   AND (m.person_id IS NOT NULL OR EXISTS (
        SELECT FROM client_member AS c WHERE c.practice_id = p.practice_id AND c.person_id = p.id))
 ORDER BY r.name, p.practice_id
 LIMIT $3
"""

_STANDING = """
SELECT c.place
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS c (practice_id, person_id, api_key_id, place)
  LEFT JOIN person AS p ON p.practice_id = c.practice_id AND p.id = c.person_id
  LEFT JOIN api_key AS k ON k.practice_id = c.practice_id AND k.id = c.api_key_id
 WHERE (c.api_key_id IS NULL
        OR (k.id IS NOT NULL AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $4)))
   AND CASE WHEN c.person_id IS NULL THEN c.api_key_id IS NOT NULL
            ELSE p.id IS NOT NULL AND p.deactivated_at IS NULL
             AND (EXISTS (SELECT FROM practice_member AS m
                           WHERE m.practice_id = c.practice_id AND m.person_id = c.person_id)
                  OR EXISTS (SELECT FROM client_member AS m
                              WHERE m.practice_id = c.practice_id AND m.person_id = c.person_id)) END
"""


async def places_of(issuer: str, subject: str, practice_id: UUID | None) -> list[Place]:
    """Where this subject belongs to a practice or to a client of one, and is not deactivated; at most 100 places.

    With a `practice_id` that place alone. System scope.
    """
    rows = await current().rows(_PLACES, issuer, subject, MAX_PLACES, practice_id)
    return [Place(practice_name=row["name"], principal=_principal(row)) for row in rows]


async def standing(
    callers: Sequence[tuple[PracticeId, PersonId | None, ApiKeyId | None]], *, at: datetime
) -> set[int]:
    """The places in `callers` of those who would still be let in by their person and key. System scope."""
    practices, people, keys = ([caller[part] for caller in callers] for part in range(3))
    rows = await current().rows(_STANDING, practices, people, keys, at)
    return {row["place"] - 1 for row in rows}


def _principal(row: Mapping[str, Any]) -> Principal:
    role = Role(row["role"]) if row["role"] else None
    held = Permission if role is Role.ADMIN else row["permissions"] or ()
    return Principal(
        practice_id=row["practice_id"],
        person_id=row["id"],
        api_key_id=None,
        role=role,
        client_access=ClientAccess(row["client_access"] or ClientAccess.LISTED),
        permissions=frozenset(Permission(permission) for permission in held),
        key_scopes=None,
    )
