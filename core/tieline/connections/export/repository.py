"""The SQL of the exported list: the clients that a caller sees with their connections of all products, in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.clients.repository import ClientStatement
from tieline.connections.states import Reason, Status
from tieline.connections.warnings.repository import grant_ends
from tieline.credentials.consents.repository import consent_ends
from tieline.database import current
from tieline.ids import ClientId, TeamId
from tieline.pages import pack_event_cursor
from tieline.plugins import Product
from tieline.principal import Principal

MAX_CLIENTS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportQuery:
    """Which clients; what is empty leaves all. A client is left by the status that it has for any product."""

    words: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    team_ids: frozenset[TeamId] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedConnection:
    """How a client is connected for one product; `ends_at` is when it will expire, if nothing is wrong with it yet."""

    status: Status
    reason: Reason | None
    provider: str | None
    organisation: str | None
    legal_name: str | None
    person: str | None
    last_synced_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedClient:
    id: ClientId
    name: str
    legal_name: str | None
    practice_code: str | None
    team: str | None
    country: str | None
    currency: str | None
    connections: tuple[ExportedConnection, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """The clients by name, at most one more than may be exported, and the events' cursor of that moment."""

    clients: tuple[ExportedClient, ...]
    event_cursor: str


_PARTS = ("status", "reason", "provider", "organisation", "legal_name", "person", "last_synced_at", "ends_at")
# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_CONNECTION = f"""
  LEFT JOIN LATERAL (
       SELECT k.status, k.reason, o.provider, o.name AS organisation, o.legal_name, p.name AS person, o.last_synced_at,
              CASE WHEN k.reason IS NULL
                   THEN least({consent_ends("k.", practice="$1")}, {grant_ends("k.")}) END AS ends_at
         FROM connection AS k
        CROSS JOIN LATERAL (
              SELECT * FROM organisation AS o
               WHERE o.practice_id = k.practice_id AND o.id = k.organisation_id LIMIT 1) AS o
        CROSS JOIN LATERAL (
              SELECT * FROM credential AS cr
               WHERE cr.practice_id = k.practice_id AND cr.id = k.credential_id LIMIT 1) AS cr
        CROSS JOIN LATERAL (
              SELECT * FROM person AS p WHERE p.practice_id = cr.practice_id AND p.id = cr.person_id LIMIT 1) AS p
        WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.product = {{product}} AND k.ended_at IS NULL
        LIMIT 1) AS {{of}} ON true"""
_EXPORT = """
SELECT feed.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin, listed.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT c.id, c.name, c.name_key, c.legal_name, c.practice_code, t.name AS team, c.country, c.currency, {columns}
         FROM client AS c
         LEFT JOIN LATERAL (
              SELECT t.name FROM team AS t
               WHERE t.practice_id = c.practice_id AND t.id = c.team_id LIMIT 1) AS t ON true {connections}
        WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {condition}
        ORDER BY c.name_key, c.id LIMIT {limit}) AS listed ON true
 ORDER BY listed.name_key, listed.id
"""


async def export_rows(principal: Principal, query: ExportQuery) -> Exported:
    """All of one moment. Which team looks after a client is for members of the practice."""
    sql = ClientStatement(principal)
    condition = [sql.visible("c.id"), *(sql.word(word) for word in query.words)]
    if query.team_ids:
        condition.append(f"c.team_id = ANY ({sql.bind(sorted(query.team_ids))}::uuid[])")
    if query.statuses:
        also = {Status.MISMATCH} if Status.CONNECTED in query.statuses else set()
        shown = sql.bind(sorted(query.statuses | also))
        had = (
            f"coalesce({_of(product)}.status, 'UNINTEGRATED') = ANY ({shown}::text[])" for product in Product
        )
        condition.append(f"({' OR '.join(had)})")
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
        clients=tuple(_client(row, shows_team=principal.is_insider) for row in rows if row["id"] is not None),
        event_cursor=pack_event_cursor(rows[0]["epoch"], rows[0]["xmin"], 0),
    )


def _of(product: Product) -> str:
    return product.value.lower()


def _client(row: Any, *, shows_team: bool) -> ExportedClient:
    return ExportedClient(
        id=row["id"],
        name=row["name"],
        legal_name=row["legal_name"],
        practice_code=row["practice_code"],
        team=row["team"] if shows_team else None,
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
