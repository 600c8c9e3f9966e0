"""The SQL of all that a caller may have synced: organisations by id, a heap at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tieline.clients.repository import ClientStatement
from tieline.database import current
from tieline.ids import OrganisationId
from tieline.principal import Permission, Principal
from tieline.sync.runs import PARTIAL


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Of which providers organisations are meant. `not_synced_since`: only those last synced before it, or never."""

    providers: tuple[str, ...]
    not_synced_since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An organisation: whether a connection to it `works`, and whether it `is_read` or about to be, whole and now."""

    id: OrganisationId
    works: bool
    is_read: bool


# Connections and runs are read once for all of a heap: looked up one by one they may be read whole each time, where
# statistics say nothing of the practice.
_SEEN = """
WITH heap AS MATERIALIZED (
     SELECT o.id
       FROM organisation AS o
      CROSS JOIN LATERAL (
            SELECT c.deleted_at FROM client AS c
             WHERE c.practice_id = o.practice_id AND c.id = o.client_id LIMIT 1) AS c
      WHERE o.practice_id = $1 AND c.deleted_at IS NULL AND {permitted} AND o.provider = ANY ({providers}::text[])
        AND {stale} AND ({after}::uuid IS NULL OR o.id > {after}::uuid)
      ORDER BY o.id LIMIT {most}),
     seen AS (
     SELECT heap.id,
            heap.id IN (
            SELECT k.held_organisation_id FROM connection AS k
             WHERE k.practice_id = $1 AND k.held_organisation_id = ANY (ARRAY (SELECT id FROM heap))
               AND k.reason IS NULL) AS works,
            heap.id IN (
            SELECT r.organisation_id FROM sync_run AS r
             WHERE r.practice_id = $1 AND r.organisation_id = ANY (ARRAY (SELECT id FROM heap))
               AND r.state IN ('QUEUED', 'RUNNING', 'PAUSED') AND r.trigger <> ALL ({partial}::text[])
               AND (r.trigger <> 'SCHEDULE' OR r.started_at IS NOT NULL)) AS is_read
       FROM heap)
"""
_HEAP = f"{_SEEN} SELECT id, works, is_read FROM seen ORDER BY id"
_REST = f"{_SEEN} SELECT count(*) FROM seen WHERE works AND NOT is_read"


class ReachRepository:
    """The organisations of the clients that one caller may sync."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def synced_by(cls, principal: Principal) -> ReachRepository:
        return cls(principal)

    async def heap(self, wanted: Wanted, *, after: OrganisationId | None, most: int) -> list[Standing]:
        """At most so many that come after this one, by id."""
        sql = ClientStatement(self._principal)
        text = self._text(_HEAP, sql, wanted, after, most)
        return [Standing(**dict(row)) for row in await current().rows(text, *sql.arguments)]

    async def rest(self, wanted: Wanted, *, after: OrganisationId | None) -> int:
        """How many of those that come after this one there would be something to begin for."""
        sql = ClientStatement(self._principal)
        number: int = await current().value(self._text(_REST, sql, wanted, after, None), *sql.arguments)
        return number

    def _text(
        self,
        template: str,
        sql: ClientStatement,
        wanted: Wanted,
        after: OrganisationId | None,
        most: int | None,
    ) -> str:
        permitted, stale = sql.visible("o.client_id"), "true"
        if not self._principal.may(Permission.SYNC):
            permitted += f" AND {sql.administered('o.client_id')}"
        if wanted.not_synced_since is not None:
            since = f"{sql.bind(wanted.not_synced_since)}::timestamptz"
            stale = f"(o.last_synced_at IS NULL OR o.last_synced_at < {since})"
        return template.format(
            partial=sql.bind(sorted(each.value for each in PARTIAL)),
            permitted=permitted,
            providers=sql.bind(list(wanted.providers)),
            stale=stale,
            after=sql.bind(after),
            most=sql.bind(most),
        )
