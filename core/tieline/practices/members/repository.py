"""The SQL of members as the API shows and changes them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.credentials.uses.repository import USES
from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import ClientId, PersonId, PracticeId, TeamId
from tieline.pages import Keyset, Page, cursor_by, page_of
from tieline.practices.repository import Person
from tieline.principal import ClientAccess, Permission, Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A person's place in the practice.

    `listed_clients` are how many clients were listed for it by name, `integrates` how many connections hang on
    its logins, but for those that a person has disconnected. Deactivated or not is said of the person.
    """

    person: Person
    role: Role
    permissions: tuple[Permission, ...]
    client_access: ClientAccess
    team_ids: tuple[TeamId, ...]
    listed_clients: int
    integrates: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberQuery:
    """What a list shows: the active or the deactivated, whose names have words that begin so."""

    words: tuple[str, ...] = ()
    role: Role | None = None
    team_id: TeamId | None = None
    deactivated: bool = False


# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_MATCHING = """
SELECT p.id, p.name, p.name_key, p.email, p.deactivated_at, m.role, m.permissions, m.client_access, m.created_at
  FROM person AS p
 CROSS JOIN LATERAL (
       SELECT * FROM practice_member AS m
        WHERE m.practice_id = p.practice_id AND m.person_id = p.id LIMIT 1) AS m
 WHERE p.practice_id = $1 AND {condition}
"""
_WHOLE = f"""
SELECT found.*,
       ARRAY (SELECT mt.team_id FROM member_team AS mt
               WHERE mt.practice_id = $1 AND mt.person_id = found.id ORDER BY mt.team_id) AS team_ids,
       (SELECT count(*) FROM member_client AS mc
         CROSS JOIN LATERAL (SELECT FROM client AS c WHERE c.practice_id = mc.practice_id AND c.id = mc.client_id
                                AND c.deleted_at IS NULL LIMIT 1) AS c
         WHERE mc.practice_id = $1 AND mc.person_id = found.id) AS listed_clients,
       (SELECT count(*) FROM credential AS cr
         CROSS JOIN LATERAL (SELECT FROM connection AS k WHERE k.practice_id = cr.practice_id
                                AND k.credential_id = cr.id AND {USES} OFFSET 0) AS k
         WHERE cr.practice_id = $1 AND cr.person_id = found.id) AS integrates
  FROM ({{found}}) AS found
"""
_PAGE = f"""
WITH matching AS NOT MATERIALIZED ({_MATCHING})
SELECT {FEED},
       (SELECT count(*) FROM matching) AS total, page.*
  FROM feed
  LEFT JOIN LATERAL (
       {_WHOLE.format(found="SELECT * FROM matching WHERE {after} ORDER BY name_key, id LIMIT {limit}")}
       ) AS page ON true
 ORDER BY page.name_key, page.id
"""
_ADMINS = """
SELECT count(*) FROM practice_member AS m JOIN person AS p ON p.practice_id = m.practice_id AND p.id = m.person_id
 WHERE m.practice_id = $1 AND m.person_id <> $2 AND m.role = 'ADMIN' AND p.deactivated_at IS NULL
"""
_SET = """
WITH gone AS (DELETE FROM {table} WHERE practice_id = $1 AND person_id = $2 AND {column} <> ALL ($3::uuid[])
              RETURNING {column}),
     come AS (INSERT INTO {table} (practice_id, person_id, {column}) SELECT $1, $2, unnest($3::uuid[])
                  ON CONFLICT DO NOTHING RETURNING {column})
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM come)
"""


class MemberRepository:
    """The members of one practice. Whoever changes them holds the practice's row."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> MemberRepository:
        return cls(practice_id)

    async def page(
        self, query: MemberQuery, *, after: Keyset | None, first: int, listed: str
    ) -> Page[Member]:
        """One page by name, the total and the event cursor, in one statement and so of one moment."""
        arguments: list[object] = [self._practice_id]
        condition = _condition(query, arguments)
        place = "true"
        if after is not None:
            arguments += [after.key, after.id]
            place = f"(name_key, id) > (${len(arguments) - 1}::text, ${len(arguments)}::uuid)"
        arguments.append(first + 1)
        sql = _PAGE.format(condition=condition, after=place, limit=f"${len(arguments)}")
        rows = await current().rows(sql, *arguments)
        return page_of(rows, _member, cursor_by(listed, "name_key"), first=first, after=after)

    async def get(self, person_id: PersonId) -> Member | None:
        sql = _WHOLE.format(found=_MATCHING.format(condition="p.id = $2"))
        row = await current().row(sql, self._practice_id, person_id)
        return _member(row) if row else None

    async def other_admins(self, person_id: PersonId) -> int:
        """How many active admins there are besides this person."""
        count: int = await current().value(_ADMINS, self._practice_id, person_id)
        return count

    async def update(
        self,
        person_id: PersonId,
        *,
        role: Role,
        permissions: Collection[Permission],
        client_access: ClientAccess,
    ) -> None:
        await current().run(
            "UPDATE practice_member SET role = $3, permissions = $4::text[], client_access = $5 "
            "WHERE practice_id = $1 AND person_id = $2",
            self._practice_id,
            person_id,
            role.value,
            sorted(permissions),
            client_access.value,
        )

    async def set_teams(self, person_id: PersonId, teams: Collection[TeamId]) -> bool:
        """Let it be in these teams and no other; whether that changed anything."""
        sql = _SET.format(table="member_team", column="team_id")
        return bool(await current().value(sql, self._practice_id, person_id, list(teams)))

    async def set_clients(self, person_id: PersonId, clients: Collection[ClientId]) -> bool:
        """List these clients for it by name and no other; whether that changed anything."""
        sql = _SET.format(table="member_client", column="client_id")
        return bool(await current().value(sql, self._practice_id, person_id, list(clients)))

    async def missing_clients(self, clients: Collection[ClientId]) -> list[ClientId]:
        """Those of these that there are not."""
        rows = await current().rows(
            "SELECT wanted.id FROM unnest($2::uuid[]) AS wanted (id) WHERE NOT EXISTS ("
            "SELECT FROM client AS c WHERE c.practice_id = $1 AND c.id = wanted.id AND c.deleted_at IS NULL) "
            "ORDER BY wanted.id",
            self._practice_id,
            list(clients),
        )
        return [row["id"] for row in rows]


def _condition(query: MemberQuery, arguments: list[object]) -> str:
    """The filters as SQL, their values added to the arguments."""
    conditions = [f"p.deactivated_at IS {'NOT ' if query.deactivated else ''}NULL"]
    for word in query.words:
        arguments.append(f" {word}")
        conditions.append(f"position(${len(arguments)}::text in ' ' || p.name_key) > 0")
    if query.role is not None:
        arguments.append(query.role.value)
        conditions.append(f"m.role = ${len(arguments)}::text")
    if query.team_id is not None:
        arguments.append(query.team_id)
        conditions.append(
            "p.id = ANY (ARRAY (SELECT mt.person_id FROM member_team AS mt "
            f"WHERE mt.practice_id = $1 AND mt.team_id = ${len(arguments)}::uuid))"
        )
    return " AND ".join(conditions)


def _member(row: Any) -> Member:
    return Member(
        person=Person(
            id=row["id"], name=row["name"], email=row["email"], deactivated_at=row["deactivated_at"]
        ),
        role=Role(row["role"]),
        permissions=tuple(Permission(each) for each in row["permissions"]),
        client_access=ClientAccess(row["client_access"]),
        team_ids=tuple(row["team_ids"]),
        listed_clients=row["listed_clients"],
        integrates=row["integrates"],
        created_at=row["created_at"],
    )
