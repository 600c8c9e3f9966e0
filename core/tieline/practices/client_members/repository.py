"""The SQL of who belongs to a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import ClientId, PersonId, PracticeId
from tieline.pages import Keyset, Page, cursor_by, page_of
from tieline.practices.repository import Person
from tieline.principal import ClientRole


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientMember:
    """A person's place at a client. `is_colleague`: the person is a member of the practice too."""

    person: Person
    is_colleague: bool
    client_id: ClientId
    role: ClientRole
    created_at: datetime


_COLUMNS = (
    "p.id, p.name, p.name_key, p.email, p.deactivated_at, cm.client_id, cm.role, cm.created_at, "
    "pm.person_id IS NOT NULL AS is_colleague"
)
# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_MATCHING = f"""
SELECT {_COLUMNS} FROM client_member AS cm
 CROSS JOIN LATERAL (
       SELECT * FROM person AS p WHERE p.practice_id = cm.practice_id AND p.id = cm.person_id LIMIT 1) AS p
  LEFT JOIN LATERAL (
       SELECT pm.person_id FROM practice_member AS pm
        WHERE pm.practice_id = cm.practice_id AND pm.person_id = cm.person_id LIMIT 1) AS pm ON true
 WHERE cm.practice_id = $1 AND cm.client_id = $2
"""
_PAGE = f"""
WITH matching AS MATERIALIZED ({_MATCHING} AND p.deactivated_at IS NULL)
SELECT {FEED},
       (SELECT count(*) FROM matching) AS total, page.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT * FROM matching WHERE {{after}} ORDER BY name_key, id LIMIT $3) AS page ON true
 ORDER BY page.name_key, page.id
"""
_SET = """
INSERT INTO client_member (practice_id, client_id, person_id, role, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (practice_id, person_id, client_id) DO UPDATE SET role = excluded.role
"""


class ClientMemberRepository:
    """The people of one client. Whether the caller may see the client was asked before."""

    def __init__(self, practice_id: PracticeId, client_id: ClientId) -> None:
        self._practice_id = practice_id
        self._client_id = client_id

    @classmethod
    def of(cls, practice_id: PracticeId, client_id: ClientId) -> ClientMemberRepository:
        return cls(practice_id, client_id)

    async def page(self, *, after: Keyset | None, first: int, listed: str) -> Page[ClientMember]:
        """Those who are not deactivated, by name, of one moment."""
        arguments: list[object] = [self._practice_id, self._client_id, first + 1]
        place = "true"
        if after is not None:
            arguments += [after.key, after.id]
            place = "(name_key, id) > ($4::text, $5::uuid)"
        rows = await current().rows(_PAGE.format(after=place), *arguments)
        return page_of(rows, _member, cursor_by(listed, "name_key"), first=first, after=after)

    async def get(self, person_id: PersonId) -> ClientMember | None:
        row = await current().row(
            f"{_MATCHING} AND cm.person_id = $3", self._practice_id, self._client_id, person_id
        )
        return _member(row) if row else None

    async def put(self, person_id: PersonId, role: ClientRole, *, at: datetime) -> None:
        await current().run(_SET, self._practice_id, self._client_id, person_id, role.value, at)

    async def remove(self, person_id: PersonId) -> None:
        await current().run(
            "DELETE FROM client_member WHERE practice_id = $1 AND client_id = $2 AND person_id = $3",
            self._practice_id,
            self._client_id,
            person_id,
        )


def _member(row: Any) -> ClientMember:
    return ClientMember(
        person=Person(
            id=row["id"], name=row["name"], email=row["email"], deactivated_at=row["deactivated_at"]
        ),
        is_colleague=row["is_colleague"],
        client_id=row["client_id"],
        role=ClientRole(row["role"]),
        created_at=row["created_at"],
    )
