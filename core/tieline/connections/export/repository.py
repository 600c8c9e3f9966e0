"""The SQL of the exported list: the clients that a caller sees with their connections of all products, in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.clients.repository import ClientStatement
from tieline.connections.repository import JOINED
from tieline.connections.states import Reason, Status, shown_as
from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import ClientId, CredentialId, OrganisationId, PersonId, TeamId
from tieline.pages import pack_event_cursor
from tieline.plugins import Product
from tieline.principal import Principal

MAX_CLIENTS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportQuery:
    """Which clients; what is empty leaves all.

    Statuses, reasons and providers leave a client by any product of which all of them are true.
    """

    words: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    reasons: frozenset[Reason] = frozenset()
    providers: frozenset[str] = frozenset()
    team_ids: frozenset[TeamId] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedConnection:
    """How a client is connected for one product, if it is; `grant_ends` is when its login ends by itself."""

    status: Status
    reason: Reason | None
    credential_id: CredentialId | None
    organisation_id: OrganisationId | None
    provider: str | None
    organisation: str | None
    legal_name: str | None
    last_synced_at: datetime | None
    person_id: PersonId | None
    grant_ends: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedClient:
    id: ClientId
    name: str
    legal_name: str | None
    practice_code: str | None
    team_id: TeamId | None
    country: str | None
    currency: str | None
    connections: tuple[ExportedConnection, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """The clients by name, at most one more than may be exported, and the events' cursor of that moment."""

    clients: tuple[ExportedClient, ...]
    event_cursor: str


_PARTS = {
    "status": "k.status",
    "reason": "k.reason",
    "credential_id": "k.credential_id",
    "organisation_id": "k.organisation_id",
    "provider": "o.provider",
    "organisation": "o.name",
    "legal_name": "o.legal_name",
    "last_synced_at": "o.last_synced_at",
    "person_id": "cr.person_id",
    "grant_ends": "cr.hard_expires_at",
}
# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_CONNECTION = f"""
  LEFT JOIN LATERAL (
       SELECT {", ".join(f"{column} AS {part}" for part, column in _PARTS.items())}
         FROM connection AS k {JOINED}
        WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.product = {{product}} AND k.ended_at IS NULL
        LIMIT 1) AS {{of}} ON true"""
_EXPORT = f"""
SELECT {FEED}, listed.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT c.id, c.name, c.name_key, c.legal_name, c.practice_code, c.team_id, c.country, c.currency, {{columns}}
         FROM client AS c {{connections}}
        WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {{condition}}
        ORDER BY c.name_key, c.id LIMIT {{limit}}) AS listed ON true
 ORDER BY listed.name_key, listed.id
"""


async def export_rows(principal: Principal, query: ExportQuery) -> Exported:
    """All of one moment."""
    sql = ClientStatement(principal)
    condition = [sql.visible("c.id"), *(sql.word(word) for word in query.words)]
    if query.team_ids:
        condition.append(f"c.team_id = ANY ({sql.bind(sorted(query.team_ids))}::uuid[])")
    connected = _connected(sql, query)
    if connected:
        condition.append(f"({' OR '.join(connected.format(of=_of(product)) for product in Product)})")
    rows = await current().rows(
        _EXPORT.format(
            columns=", ".join(
                f"{_of(product)}.{part} AS {_of(product)}_{part}" for product in Product for part in _PARTS
            ),
            connections="".join(
                _CONNECTION.format(of=_of(product), product=sql.bind(product.value)) for product in Product
            ),
            condition=" AND ".join(condition),
            limit=sql.bind(MAX_CLIENTS + 1),
        ),
        *sql.arguments,
    )
    return Exported(
        clients=tuple(_client(row) for row in rows if row["id"] is not None),
        event_cursor=pack_event_cursor(rows[0]["epoch"], rows[0]["reached"], 0),
    )


def _connected(sql: ClientStatement, query: ExportQuery) -> str:
    """What is to be true of one product; empty for nothing."""
    conditions = []
    if query.statuses:
        shown = sql.bind(shown_as(query.statuses))
        conditions.append(f"coalesce({{of}}.status, 'UNINTEGRATED') = ANY ({shown}::text[])")
    if query.reasons:
        conditions.append(f"{{of}}.reason = ANY ({sql.bind(sorted(query.reasons))}::text[])")
    if query.providers:
        conditions.append(f"{{of}}.provider = ANY ({sql.bind(sorted(query.providers))}::text[])")
    return " AND ".join(conditions)


def _of(product: Product) -> str:
    return product.value.lower()


def _client(row: Any) -> ExportedClient:
    return ExportedClient(
        id=row["id"],
        name=row["name"],
        legal_name=row["legal_name"],
        practice_code=row["practice_code"],
        team_id=row["team_id"],
        country=row["country"],
        currency=row["currency"],
        connections=tuple(_connection(row, f"{_of(product)}_") for product in Product),
    )


def _connection(row: Any, prefix: str) -> ExportedConnection:
    parts = {part: row[prefix + part] for part in _PARTS}
    reason = parts.pop("reason")
    return ExportedConnection(
        **parts | {"status": Status(parts["status"] or Status.UNINTEGRATED)},
        reason=Reason(reason) if reason else None,
    )
