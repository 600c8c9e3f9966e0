"""The SQL of runs as callers see them: those of organisations that a visible client is or was connected to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any

from tieline.clients.repository import ClientStatement
from tieline.connections.repository import Connection
from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import ConnectionId, RunId
from tieline.pages import Keyset, Page, encode_cursor, page_of
from tieline.principal import Principal
from tieline.sync.repository import COLUMNS, run_of
from tieline.sync.runs import Run

# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_ITS_CLIENT = """CROSS JOIN LATERAL (
      SELECT c.deleted_at FROM client AS c
       WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c"""
_SERVES = """CROSS JOIN LATERAL (
      SELECT o.client_id FROM organisation AS o
       WHERE o.practice_id = k.practice_id AND o.id = k.organisation_id LIMIT 1) AS o"""
_VISIBLE = f"""
EXISTS (SELECT FROM connection AS k
         {_ITS_CLIENT}
         {_SERVES}
         WHERE k.practice_id = $1 AND k.organisation_id = r.organisation_id AND c.deleted_at IS NULL AND {{visible}})
"""
# An organisation that serves another client by now is that client's: whoever may not see it follows its runs no more.
_STILL_THEIRS = "(o.client_id IS NULL OR o.client_id = k.client_id OR {sees})"
_OF_CONNECTION = f"""
EXISTS (SELECT FROM connection AS k
         {_SERVES}
         WHERE k.practice_id = $1 AND k.id = {{connection}} AND {{still_theirs}})
"""
_PAGE = f"""
SELECT {FEED},
       (SELECT count(*) FROM sync_run AS r
         WHERE r.practice_id = $1 AND r.organisation_id = {{organisation}} AND {{theirs}}) AS total,
       page.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT {{columns}} FROM sync_run AS r
        WHERE r.practice_id = $1 AND r.organisation_id = {{organisation}} AND {{theirs}} AND {{after}}
        ORDER BY r.created_at DESC, r.id DESC LIMIT {{limit}}) AS page ON true
 ORDER BY page.created_at DESC, page.id DESC
"""
_LAST = f"""
SELECT k.id AS connection_id, r.*
  FROM connection AS k
 {_ITS_CLIENT}
 CROSS JOIN LATERAL (
       SELECT {{columns}} FROM sync_run AS r
        WHERE r.practice_id = k.practice_id AND r.organisation_id = k.organisation_id
        ORDER BY r.created_at DESC, r.id DESC LIMIT 1) AS r
 {_SERVES}
 WHERE k.practice_id = $1 AND k.id = ANY ({{connections}}::uuid[]) AND c.deleted_at IS NULL AND {{visible}}
"""


class RunHistory:
    """Runs that one caller may see."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def visible_to(cls, principal: Principal) -> RunHistory:
        return cls(principal)

    async def get(self, run_id: RunId) -> Run | None:
        sql = ClientStatement(self._principal)
        visible = _VISIBLE.format(visible=_seen(sql))
        row = await current().row(
            f"SELECT {COLUMNS} FROM sync_run AS r WHERE r.practice_id = $1 AND r.id = {sql.bind(run_id)} AND {visible}",
            *sql.arguments,
        )
        return run_of(row) if row else None

    async def page(
        self, connection: Connection, *, after: Keyset | None, first: int, listed: str
    ) -> Page[Run]:
        """The runs of its organisation, the latest first. That the caller may see the connection was asked before."""
        sql = ClientStatement(self._principal)
        organisation = f"{sql.bind(connection.organisation_id)}::uuid"
        theirs = _OF_CONNECTION.format(
            connection=f"{sql.bind(connection.id)}::uuid",
            still_theirs=_STILL_THEIRS.format(sees=sql.visible("o.client_id")),
        )
        rows = await current().rows(
            _PAGE.format(
                columns=COLUMNS,
                organisation=organisation,
                theirs=theirs,
                after=_after(sql, after),
                limit=sql.bind(first + 1),
            ),
            *sql.arguments,
        )
        return page_of(rows, run_of, lambda row: _cursor(listed, row), first=first, after=after)

    async def last(self, connection_ids: Collection[ConnectionId]) -> dict[ConnectionId, Run]:
        sql = ClientStatement(self._principal)
        connections = sql.bind(list(connection_ids))
        rows = await current().rows(
            _LAST.format(columns=COLUMNS, connections=connections, visible=_seen(sql)),
            *sql.arguments,
        )
        return {row["connection_id"]: run_of(row) for row in rows}


def _seen(sql: ClientStatement) -> str:
    """A condition on a connection `k` and the client that its organisation serves now, `o`."""
    return f"{sql.visible('k.client_id')} AND {_STILL_THEIRS.format(sees=sql.visible('o.client_id'))}"


def _after(sql: ClientStatement, after: Keyset | None) -> str:
    if after is None:
        return "true"
    return f"(r.created_at, r.id) < ({sql.bind(after.key)}::text::timestamptz, {sql.bind(after.id)}::uuid)"


def _cursor(listed: str, row: Any) -> str:
    return encode_cursor(listed, Keyset(key=row["created_at"].astimezone(UTC).isoformat(), id=row["id"]))
