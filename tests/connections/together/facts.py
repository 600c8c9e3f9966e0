"""What the tables of one practice say of its connections at one moment: what is reckoned from, and compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from tieline.connections.repository import Connection
from tieline.principal import Principal

Key: TypeAlias = tuple[UUID, str]
"""A client, and a product."""

Reach: TypeAlias = tuple[UUID, UUID]
"""A credential, and an organisation."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A connection; the id of one that is only foreseen is not known."""

    id: UUID | None
    client: UUID
    product: str
    organisation: UUID
    credential: UUID
    reason: str | None

    @property
    def key(self) -> Key:
        return self.client, self.product

    @classmethod
    def of(cls, connection: Connection) -> Line:
        return cls(
            id=connection.id,
            client=connection.client_id,
            product=connection.product.value,
            organisation=connection.organisation_id,
            credential=connection.credential_id,
            reason=connection.reason.value if connection.reason else None,
        )


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who acts. `sees`: these clients, or all; `manages`: by a permission; `administers`: these clients."""

    name: str
    principal: Principal = field(repr=False)
    sees: frozenset[UUID] | None = field(repr=False)
    manages: bool = field(repr=False)
    administers: frozenset[UUID] = field(default=frozenset(), repr=False)

    def may(self, client: UUID) -> bool:
        return self.manages or client in self.administers


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A credential."""

    slug: str
    subject: str
    person: UUID
    is_live: bool
    scopes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A sign-in; `found`: through which credential an organisation is reached, and whether it was consented to."""

    person: UUID
    slug: str
    is_ready: bool
    is_over: bool
    found: Mapping[UUID, tuple[UUID, bool]]
    credentials: frozenset[UUID]
    mended: frozenset[UUID]


@dataclass(kw_only=True)
class Facts:
    """`over` are consents that have run out, `consents` those that the credential still reaches its organisation by."""

    clients: set[UUID]
    slugs: dict[UUID, str]
    externals: dict[UUID, str]
    lines: dict[Key, Line]
    ended: dict[UUID, Line]
    credentials: dict[UUID, Kept]
    trips: dict[UUID, Trip]
    over: set[Reach]
    consents: set[Reach]

    def copy(self) -> Facts:
        return replace(
            self,
            clients=set(self.clients),
            lines=dict(self.lines),
            ended=dict(self.ended),
            credentials=dict(self.credentials),
            trips=dict(self.trips),
            over=set(self.over),
            consents=set(self.consents),
        )

    def line(self, id: UUID) -> Line | None:
        """The current one of this id."""
        return next((each for each in self.lines.values() if each.id == id), None)

    def sees(self, person: Person, client: UUID) -> bool:
        return client in self.clients and (person.sees is None or client in person.sees)

    def serves(self, organisation: UUID) -> UUID | None:
        """The client that holds it."""
        holding = (
            each.client
            for each in self.lines.values()
            if each.organisation == organisation and each.reason != "DISCONNECTED"
        )
        return next(holding, None)

    def end(self, line: Line) -> None:
        del self.lines[line.key]
        if line.id is not None:
            self.ended[line.id] = line


_CONNECTIONS = """
SELECT id, client_id AS client, product, organisation_id AS organisation, credential_id AS credential, reason,
       ended_at IS NOT NULL AS is_ended FROM connection WHERE practice_id = $1
"""
_CREDENTIALS = """
SELECT c.id, a.provider AS slug, c.subject, c.person_id AS person, c.state = 'LIVE' AS is_live, c.scopes
  FROM credential AS c JOIN provider_app AS a ON a.id = c.provider_app_id WHERE c.practice_id = $1
"""
_TRIPS = """
SELECT s.id, s.person_id AS person, a.provider AS slug, s.ready_at IS NOT NULL AS is_ready,
       s.usable_until <= $2::timestamptz OR s.state = 'FAILED'
       OR (s.state = 'EXPIRED' AND s.usable_until IS NULL) AS is_over,
       array(SELECT m.connection_id FROM sign_in_mended AS m WHERE m.sign_in_id = s.id) AS mended,
       array(SELECT r.credential_id FROM consent_round AS r
              WHERE r.sign_in_id = s.id AND r.credential_id IS NOT NULL) AS granted
  FROM sign_in AS s JOIN provider_app AS a ON a.id = s.provider_app_id WHERE s.practice_id = $1
"""
_FOUND = """
SELECT sign_in_id, organisation_id, credential_id, consented FROM sign_in_organisation WHERE practice_id = $1
"""
_CONSENTS = """
SELECT n.credential_id, n.organisation_id, n.lost_at IS NULL AS is_reached,
       coalesce(n.consented_at <= $2::timestamptz - make_interval(hours => 24 * p.consent_life_days), false) AS is_over
  FROM consent AS n JOIN practice AS p ON p.id = n.practice_id WHERE n.practice_id = $1
"""


async def read_facts(sql: asyncpg.Connection, practice_id: UUID, *, at: datetime) -> Facts:
    """By a superuser, past all policies."""
    connections = await sql.fetch(_CONNECTIONS, practice_id)
    lines = {row["id"]: _line(row) for row in connections}
    ended = {row["id"] for row in connections if row["is_ended"]}
    organisations = await sql.fetch(
        "SELECT id, provider, external_id FROM organisation WHERE practice_id = $1", practice_id
    )
    consents = await sql.fetch(_CONSENTS, practice_id, at)
    clients = await sql.fetch(
        "SELECT id FROM client WHERE practice_id = $1 AND deleted_at IS NULL", practice_id
    )
    return Facts(
        clients={row["id"] for row in clients},
        slugs={row["id"]: row["provider"] for row in organisations},
        externals={row["id"]: row["external_id"] for row in organisations},
        lines={line.key: line for line in lines.values() if line.id not in ended},
        ended={each: lines[each] for each in ended},
        credentials={row["id"]: _kept(row) for row in await sql.fetch(_CREDENTIALS, practice_id)},
        trips=await _trips(sql, practice_id, at),
        over={(row["credential_id"], row["organisation_id"]) for row in consents if row["is_over"]},
        consents={(row["credential_id"], row["organisation_id"]) for row in consents if row["is_reached"]},
    )


async def _trips(sql: asyncpg.Connection, practice_id: UUID, at: datetime) -> dict[UUID, Trip]:
    found: dict[UUID, dict[UUID, tuple[UUID, bool]]] = defaultdict(dict)
    for row in await sql.fetch(_FOUND, practice_id):
        found[row["sign_in_id"]][row["organisation_id"]] = (row["credential_id"], row["consented"])
    return {
        row["id"]: Trip(
            person=row["person"],
            slug=row["slug"],
            is_ready=row["is_ready"],
            is_over=bool(row["is_over"]),
            found=found[row["id"]],
            credentials=frozenset(each for each, _ in found[row["id"]].values()) | {*row["granted"]},
            mended=frozenset(row["mended"]),
        )
        for row in await sql.fetch(_TRIPS, practice_id, at)
    }


def _line(row: asyncpg.Record) -> Line:
    return Line(**{name: row[name] for name in Line.__dataclass_fields__})


def _kept(row: asyncpg.Record) -> Kept:
    return Kept(
        slug=row["slug"],
        subject=row["subject"],
        person=row["person"],
        is_live=row["is_live"],
        scopes=frozenset(row["scopes"]),
    )
