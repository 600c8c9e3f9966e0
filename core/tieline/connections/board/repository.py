"""The SQL of the board: every client of a practice beside its current connection of one product, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from tieline import clock
from tieline.clients.repository import COLUMNS as CLIENT_COLUMNS
from tieline.clients.repository import Client, ClientStatement, client_of
from tieline.connections.organisations.repository import COLUMNS as ORGANISATION_COLUMNS
from tieline.connections.organisations.repository import Organisation, organisation
from tieline.connections.repository import OWN_COLUMNS, Connection, connection
from tieline.connections.states import Status
from tieline.connections.warnings.ends import AHEAD
from tieline.connections.warnings.repository import is_warned_of
from tieline.database import current
from tieline.pages import Direction, Keyset, Page, cursor_by, page_of
from tieline.plugins import Product
from tieline.principal import Principal


class BoardSort(StrEnum):
    """By client name; by status, bad ones first; by last sync, 'never' first; by the organisation's name."""

    NAME = "NAME"
    STATUS = "STATUS"
    LAST_SYNC = "LAST_SYNC"
    ORGANISATION = "ORGANISATION"


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardQuery:
    """What a board shows. No statuses or providers given: all of them."""

    product: Product
    words: tuple[str, ...] = ()
    sort: BoardSort = BoardSort.NAME
    direction: Direction = Direction.ASC
    statuses: frozenset[Status] = frozenset()
    providers: frozenset[str] = frozenset()
    with_warnings: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardRow:
    """One client's line; without a connection it is UNINTEGRATED."""

    client: Client
    status: Status
    connection: Connection | None
    organisation: Organisation | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardPage(Page[BoardRow]):
    """`counts`: lines by status, of all that the search and the providers leave; a mismatch counts as connected too."""

    counts: Mapping[Status, int]


_ORDER = (Status.UNINTEGRATED, Status.EXPIRED, Status.MISMATCH, Status.CONNECTED)
_RANK = " ".join(f"WHEN '{status}' THEN '{rank}'" for rank, status in enumerate(_ORDER))
# Each as one text that sorts like its parts do: what is of fixed length first, or ended by what no name holds.
_KEYS = {
    BoardSort.NAME: "c.name_key",
    BoardSort.STATUS: f"CASE k.status {_RANK} ELSE '0' END || c.name_key",
    BoardSort.LAST_SYNC: (
        "coalesce(to_char(o.last_synced_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), repeat('0', 20)) || c.name_key"
    ),
    BoardSort.ORGANISATION: "coalesce(o.name_key, '') || chr(1) || left(c.name_key, 200)",
}
# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_BOARD = """
WITH matching AS MATERIALIZED (
     SELECT {client}, {connection}, {organisation},
            coalesce(k.status, 'UNINTEGRATED') AS status, ({key}) COLLATE "C" AS sort_key
       FROM client AS c
       LEFT JOIN LATERAL (
            SELECT * FROM connection AS k
             WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.product = {product} AND k.ended_at IS NULL
             LIMIT 1) AS k ON true
       LEFT JOIN LATERAL (
            SELECT * FROM organisation AS o
             WHERE o.practice_id = c.practice_id AND o.id = k.organisation_id LIMIT 1) AS o ON true
      WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {condition}),
     counted AS (
     SELECT count(*) FILTER (WHERE {shown}) AS total, {counts} FROM matching)
SELECT feed.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin, counted.*, page.*,
       cr.person_id AS k_integrated_by, cr.login AS k_login
  FROM feed CROSS JOIN counted
  LEFT JOIN LATERAL (
       SELECT matching.*, false AS administered FROM matching WHERE {shown} AND {after}
        ORDER BY sort_key {direction}, id {direction}
        LIMIT {limit}) AS page ON true
  LEFT JOIN LATERAL (
       SELECT * FROM credential AS cr
        WHERE cr.practice_id = page.practice_id AND cr.id = page.k_credential_id LIMIT 1) AS cr ON true
 ORDER BY page.sort_key {direction}, page.id {direction}
"""


class BoardRepository:
    """The board of one practice: all of its clients, so for admins only."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def of(cls, principal: Principal) -> BoardRepository:
        return cls(principal)

    async def page(self, query: BoardQuery, *, after: Keyset | None, first: int, listed: str) -> BoardPage:
        """One page, the total, the counts and the event cursor, of one moment."""
        sql = ClientStatement(self._principal)
        condition = [sql.visible("c.id"), *(sql.word(word) for word in query.words)]
        if query.providers:
            condition.append(f"o.provider = ANY ({sql.bind(sorted(query.providers))}::text[])")
        shown = ["true"]
        if query.statuses:
            shown.append(f"status = ANY ({sql.bind(_shown(query.statuses))}::text[])")
        if query.with_warnings:
            at, until = sql.bind(clock.now()), sql.bind(clock.now() + AHEAD)
            shown.append(is_warned_of("k_", practice="$1", at=at, until=until))
        rows = await current().rows(
            _BOARD.format(
                client=CLIENT_COLUMNS,
                connection=", ".join(f"k.{column} AS k_{column}" for column in OWN_COLUMNS),
                organisation=", ".join(f"o.{column} AS o_{column}" for column in ORGANISATION_COLUMNS),
                key=_KEYS[query.sort],
                product=sql.bind(query.product.value),
                condition=" AND ".join(condition),
                shown=" AND ".join(shown),
                counts=", ".join(f"count(*) FILTER (WHERE status = '{each}') AS n_{each}" for each in Status),
                after=sql.after(after, query.direction, "sort_key", "id"),
                direction=query.direction.value,
                limit=sql.bind(first + 1),
            ),
            *sql.arguments,
        )
        return _page(rows, first=first, listed=listed, after=after)


def _shown(statuses: frozenset[Status]) -> list[str]:
    """What a line's own status may be: a mismatch is shown among the connected too."""
    also = {Status.MISMATCH} if Status.CONNECTED in statuses else set()
    return sorted(status.value for status in statuses | also)


def _page(rows: Sequence[Any], *, first: int, listed: str, after: Keyset | None) -> BoardPage:
    page = page_of(rows, _row, cursor_by(listed, "sort_key"), first=first, after=after)
    counts = {status: rows[0][f"n_{status}".lower()] for status in Status}
    counts[Status.CONNECTED] += counts[Status.MISMATCH]
    return BoardPage(**{field.name: getattr(page, field.name) for field in fields(page)}, counts=counts)


def _row(row: Any) -> BoardRow:
    connected = row["k_id"] is not None
    return BoardRow(
        client=client_of(row),
        status=Status(row["status"]),
        connection=connection(_connection_part(row)) if connected else None,
        organisation=organisation(row, "o_") if connected else None,
    )


def _connection_part(row: Any) -> dict[str, Any]:
    own = {name.removeprefix("k_"): value for name, value in row.items() if name.startswith("k_")}
    return own | {"provider": row["o_provider"], "organisation_name": row["o_name"]}
