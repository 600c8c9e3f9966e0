"""The SQL of clients: every query is made for one practice and for what one caller may see there."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from tortoise.exceptions import IntegrityError

from tieline.clients.models import ClientRow
from tieline.database import current
from tieline.errors import CodeTaken
from tieline.events.place import FEED
from tieline.ids import ClientId, PersonId, PracticeId, TeamId
from tieline.names import LAST_CHARACTER, name_key, name_words
from tieline.pages import Direction, Keyset, Page, cursor_by, page_of
from tieline.principal import ClientRole, Principal
from tieline.visibility import visible_client


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """One business the practice looks after. `administered`: the caller is an administrator of this client."""

    id: ClientId
    practice_id: PracticeId
    name: str
    legal_name: str | None
    practice_code: str | None
    team_id: TeamId | None
    country: str | None
    currency: str | None
    tax_number: str | None
    registration_number: str | None
    created_at: datetime
    administered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientQuery:
    """A list of clients: words that names must begin with, and the direction of the name sort.

    `listed_for`: only those that were listed for this member by name.
    """

    words: tuple[str, ...] = ()
    direction: Direction = Direction.ASC
    listed_for: PersonId | None = None


COLUMNS = (
    "c.id, c.practice_id, c.name, c.legal_name, c.practice_code, c.team_id, c.country, c.currency, c.tax_number, "
    "c.registration_number, c.created_at"
)

_PAGE = f"""
WITH matching AS NOT MATERIALIZED (
     SELECT c.* FROM client AS c WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {{condition}})
SELECT {FEED},
       (SELECT count(*) FROM matching) AS total, page.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT {{columns}}, c.name_key, {{administered}} AS administered
         FROM matching AS c WHERE {{after}}
        ORDER BY c.name_key {{direction}}, c.id {{direction}}
        LIMIT {{limit}}) AS page ON true
 ORDER BY page.name_key {{direction}}, page.id {{direction}}
"""
_SET_DETAILS = """
UPDATE client
   SET legal_name = $3, practice_code = $4, team_id = $5, country = $6, currency = $7,
       detail_sources = detail_sources || $8::jsonb
 WHERE practice_id = $1 AND id = $2
"""
_SOURCED = ("legal_name", "practice_code", "country", "currency")
_RENAME = """
UPDATE client SET name = $3, name_key = $4, detail_sources = detail_sources || '{"name": "PERSON"}'
 WHERE practice_id = $1 AND id = $2
"""


class ClientRepository:
    """Clients of one practice that one caller may see."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def visible_to(cls, principal: Principal) -> ClientRepository:
        return cls(principal)

    async def page(
        self, query: ClientQuery, *, after: Keyset | None, first: int, listed: str
    ) -> Page[Client]:
        """One page, the total and the event cursor, in one statement and so of one moment."""
        sql = ClientStatement(self._principal)
        condition = [sql.visible("c.id"), *(sql.word(word) for word in query.words)]
        if query.listed_for is not None:
            condition.append(sql.listed_for(query.listed_for))
        administered = sql.administered("c.id")
        rows = await current().rows(
            _PAGE.format(
                columns=COLUMNS,
                condition=" AND ".join(condition),
                administered=administered,
                after=sql.after(after, query.direction, "c.name_key", "c.id"),
                direction=query.direction.value,
                limit=sql.bind(first + 1),
            ),
            *sql.arguments,
        )
        return page_of(rows, client_of, cursor_by(listed, "name_key"), first=first, after=after)

    async def get(self, client_id: ClientId, *, lock: bool = False) -> Client | None:
        found = await self.get_many([client_id], lock=lock)
        return found[0] if found else None

    async def get_many(self, ids: Collection[ClientId], *, lock: bool = False) -> list[Client]:
        """Those that there are, by id; locked in that order, before any organisation, credential or connection."""
        sql = ClientStatement(self._principal)
        rows = await current().rows(
            f"SELECT {COLUMNS}, {sql.administered('c.id')} AS administered FROM client AS c "
            f"WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND c.id = ANY ({sql.bind(list(ids))}::uuid[]) "
            f"AND {sql.visible('c.id')} ORDER BY c.id" + (" FOR NO KEY UPDATE OF c" if lock else ""),
            *sql.arguments,
        )
        return [client_of(row) for row in rows]

    async def add(self, row: ClientRow) -> None:
        """Insert the client and the words of its name. Raises CodeTaken."""
        try:
            await row.save(force_create=True)
        except IntegrityError as conflict:
            if "client_practice_code_once" not in str(conflict):
                raise
            raise _code_taken(row.practice_code) from conflict
        await self._write_words(ClientId(row.id), row.name)

    async def set_details(self, standing: Client, changed: Client) -> None:
        """Write all of a locked client but its name; a person has said what differs.

        Raises CodeTaken.
        """
        said = {name: "PERSON" for name in _SOURCED if getattr(changed, name) != getattr(standing, name)}
        try:
            await current().run(
                _SET_DETAILS,
                self._principal.practice_id,
                changed.id,
                changed.legal_name,
                changed.practice_code,
                changed.team_id,
                changed.country,
                changed.currency,
                json.dumps(said),
            )
        except asyncpg.UniqueViolationError as conflict:
            if conflict.constraint_name != "client_practice_code_once":
                raise
            raise _code_taken(changed.practice_code) from conflict

    async def rename(self, client_id: ClientId, name: str) -> None:
        practice_id = self._principal.practice_id
        await current().run(_RENAME, practice_id, client_id, name, name_key(name))
        await current().run(
            "DELETE FROM client_word WHERE practice_id = $1 AND client_id = $2", practice_id, client_id
        )
        await self._write_words(client_id, name)

    async def delete(self, client_id: ClientId, *, at: datetime) -> None:
        """Hide a locked client from everybody; its rows are removed by a job."""
        await current().run(
            "UPDATE client SET deleted_at = $3 WHERE practice_id = $1 AND id = $2",
            self._principal.practice_id,
            client_id,
            at,
        )

    async def list_for_member(self, client_id: ClientId, person_id: UUID) -> None:
        """Let a member whose access is by list see this client."""
        await current().run(
            "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            self._principal.practice_id,
            person_id,
            client_id,
        )

    async def _write_words(self, client_id: ClientId, name: str) -> None:
        await current().run(
            "INSERT INTO client_word (practice_id, word, client_id) SELECT $1, unnest($2::text[]), $3",
            self._principal.practice_id,
            list(name_words(name)),
            client_id,
        )


class ClientStatement:
    """Collects the parameters of a statement about clients `c`; the practice is always the first."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal
        self.arguments: list[object] = [principal.practice_id]
        self._person: str | None = None

    def bind(self, value: object) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def listed_for(self, person_id: PersonId) -> str:
        """That the client was listed for this member by name."""
        return (
            "c.id = ANY (ARRAY (SELECT mc.client_id FROM member_client AS mc "
            f"WHERE mc.practice_id = $1 AND mc.person_id = {self.bind(person_id)}::uuid))"
        )

    def visible(self, column: str) -> str:
        if self._principal.sees_all_clients:
            return "true"
        return visible_client(self._principal, column, self._person_parameter())

    def administered(self, column: str) -> str:
        if self._principal.person_id is None or self._principal.is_admin:
            return "false"
        return (
            "EXISTS (SELECT FROM client_member AS am WHERE am.practice_id = $1 "
            f"AND am.role = '{ClientRole.ADMINISTRATOR}' AND am.person_id = {self._person_parameter()} "
            f"AND am.client_id = {column})"
        )

    def word(self, word: str) -> str:
        start, end = self.bind(word), self.bind(word + LAST_CHARACTER)
        return (
            "c.id = ANY (ARRAY (SELECT w.client_id FROM client_word AS w WHERE w.practice_id = $1 "
            f"AND w.word >= {start} AND w.word < {end}))"
        )

    def after(self, after: Keyset | None, direction: Direction, key: str, id: str) -> str:
        """Whether a row comes after this one in the order of these two columns."""
        if after is None:
            return "true"
        operator = ">" if direction is Direction.ASC else "<"
        return f"({key}, {id}) {operator} ({self.bind(after.key)}::text, {self.bind(after.id)}::uuid)"

    def _person_parameter(self) -> str:
        if self._person is None:
            self._person = self.bind(self._principal.person_id) + "::uuid"
        return self._person


def _code_taken(practice_code: str | None) -> CodeTaken:
    return CodeTaken(practice_code or "", field="practiceCode")


def client_of(row: Any) -> Client:
    """The record of a row that holds `COLUMNS` and `administered`."""
    return Client(
        id=row["id"],
        practice_id=row["practice_id"],
        name=row["name"],
        legal_name=row["legal_name"],
        practice_code=row["practice_code"],
        team_id=row["team_id"],
        country=row["country"],
        currency=row["currency"],
        tax_number=row["tax_number"],
        registration_number=row["registration_number"],
        created_at=row["created_at"],
        administered=row["administered"],
    )
