"""The SQL of who a subject of the trusted issuer is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tieline.database import current
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
 WHERE p.issuer = $1 AND p.subject = $2
   AND (m.person_id IS NOT NULL OR EXISTS (
        SELECT FROM client_member AS c WHERE c.practice_id = p.practice_id AND c.person_id = p.id))
 ORDER BY r.name, p.practice_id
 LIMIT $3
"""


async def places_of(issuer: str, subject: str) -> list[Place]:
    """Where this subject belongs to a practice or to a client of one, at most 100 practices. System scope."""
    rows = await current().rows(_PLACES, issuer, subject, MAX_PLACES)
    return [Place(practice_name=row["name"], principal=_principal(row)) for row in rows]


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
