"""The SQL of the board: every client of a practice beside its current connection of one product, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tieline import clock
from tieline.clients.repository import COLUMNS as CLIENT_COLUMNS
from tieline.clients.repository import Client, ClientStatement, client_of
from tieline.connections.organisations.repository import COLUMNS as ORGANISATION_COLUMNS
from tieline.connections.organisations.repository import Organisation, organisation
from tieline.connections.repository import OWN_COLUMNS, Connection, connection
from tieline.connections.states import Reason, Status, shown_as
from tieline.connections.warnings.ends import AHEAD
from tieline.connections.warnings.repository import is_warned_of
from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import PersonId, TeamId
from tieline.pages import Direction, Keyset, Page, cursor_by, page_of
from tieline.plugins import Product
from tieline.principal import Principal


class BoardSort(StrEnum):
    """By client name; by status, bad ones first; by last sync, 'never' first; by the organisation's name; by who
    integrated it, and the login, nobody first.
    """

    NAME = "NAME"
    STATUS = "STATUS"
    LAST_SYNC = "LAST_SYNC"
    ORGANISATION = "ORGANISATION"
    INTEGRATED_BY = "INTEGRATED_BY"


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardQuery:
    """What a board shows; a filter that is empty, None or false leaves all.

    Words, providers, teams and who integrated it say which clients; the rest say in which state.
    """

    product: Product
    sort: BoardSort = BoardSort.NAME
    direction: Direction = Direction.ASC
    words: tuple[str, ...] = ()
    providers: frozenset[str] = frozenset()
    team_ids: frozenset[TeamId] = frozenset()
    integrated_by: PersonId | None = None
    statuses: frozenset[Status] = frozenset()
    reasons: frozenset[Reason] = frozenset()
    with_warnings: bool = False
    expiring_before: datetime | None = None

    @property
    def is_of_clients(self) -> bool:
        """Whether clients alone say which lines there are and in which order, whatever their connections are."""
        by_connection = (
            self.providers,
            self.integrated_by,
            self.statuses,
            self.reasons,
            self.expiring_before,
        )
        return self.sort is BoardSort.NAME and not self.with_warnings and not any(by_connection)


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardRow:
    """One client's line; without a connection it is UNINTEGRATED."""

    client: Client
    status: Status
    connection: Connection | None
    organisation: Organisation | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardPage(Page[BoardRow]):
    """`counts`: lines by status, of all that the filters of clients leave; a mismatch counts as connected too."""

    counts: Mapping[Status, int]


_ORDER = (Status.UNINTEGRATED, Status.EXPIRED, Status.MISMATCH, Status.CONNECTED)
_RANK = " ".join(f"WHEN '{status}' THEN '{rank}'" for rank, status in enumerate(_ORDER))
# Each as one text that sorts like its parts do: what is of fixed length first, or ended by what no name holds.
_KEYS = {
    BoardSort.NAME: "c.name_key",
    BoardSort.STATUS: f"(CASE k.status {_RANK} ELSE '0' END || c.name_key) COLLATE \"C\"",
    BoardSort.LAST_SYNC: (
        "(coalesce(to_char(o.last_synced_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), repeat('0', 20))"
        ' || c.name_key) COLLATE "C"'
    ),
    BoardSort.ORGANISATION: "(coalesce(o.name_key, '') || chr(1) || left(c.name_key, 200)) COLLATE \"C\"",
    BoardSort.INTEGRATED_BY: (
        "(coalesce('1' || left(p.name_key, 200) || chr(1) || coalesce(lower(left(cr.login, 100)), ''), '0')"
        ' || chr(1) || left(c.name_key, 200)) COLLATE "C"'
    ),
}
# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_CURRENT = """
       LEFT JOIN LATERAL (
            SELECT * FROM connection AS k
             WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.product = {product} AND k.ended_at IS NULL
             LIMIT 1) AS k ON true"""
_ORGANISATION = """
       LEFT JOIN LATERAL (
            SELECT * FROM organisation AS o
             WHERE o.practice_id = k.practice_id AND o.id = k.organisation_id LIMIT 1) AS o ON true"""
_CREDENTIAL = """
       LEFT JOIN LATERAL (
            SELECT * FROM credential AS cr
             WHERE cr.practice_id = k.practice_id AND cr.id = k.credential_id LIMIT 1) AS cr ON true"""
_PERSON = """
       LEFT JOIN LATERAL (
            SELECT * FROM person AS p
             WHERE p.practice_id = cr.practice_id AND p.id = cr.person_id LIMIT 1) AS p ON true"""
# Where a practice is much of a table, to read all of the table seems as cheap; so the planner may not. What it may not
# and must, as for a table of one row, it takes for so dear that it would compile the statement; that it may not either.
_ITS_OWN = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
# Nor may it sort all names of a practice that is new to its statistics, and seems to have one client.
_ALONG_THE_INDEX = f"{_ITS_OWN}; SET LOCAL enable_sort = off"
# Lines are lean, since all of them are counted; what there is to show is looked up for those of the page. By the names
# of clients they are not even kept: they are counted, and the page reads its own from the index of names.
_BOARD = f"""
WITH line AS {{kept}} (
     SELECT c.practice_id, c.id, {{key}} AS sort_key, coalesce(k.status, 'UNINTEGRATED') AS status, k.id AS k_id,
            k.practice_id AS k_practice_id, k.organisation_id AS k_organisation_id,
            k.credential_id AS k_credential_id, k.reason AS k_reason
       FROM client AS c {{joined}}
      WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {{which}}),
     counted AS (
     SELECT count(*) FILTER (WHERE {{shown}}) AS total, {{counts}} FROM line)
SELECT {FEED}, counted.*,
       page.sort_key, page.status, {{client}}, false AS administered, {{connection}}, {{organisation}},
       cr.person_id AS k_integrated_by, cr.login AS k_login
  FROM feed CROSS JOIN counted
  LEFT JOIN LATERAL (
       SELECT * FROM line WHERE {{shown}} AND {{after}}
        ORDER BY sort_key {{direction}}, id {{direction}}
        LIMIT {{limit}}) AS page ON true
  LEFT JOIN LATERAL (
       SELECT * FROM client AS c WHERE c.practice_id = page.practice_id AND c.id = page.id LIMIT 1) AS c ON true
  LEFT JOIN LATERAL (
       SELECT * FROM connection AS k
        WHERE k.practice_id = page.practice_id AND k.id = page.k_id LIMIT 1) AS k ON true
  {_ORGANISATION} {_CREDENTIAL}
 ORDER BY page.sort_key {{direction}}, page.id {{direction}}
"""
_SHOWN = {
    "client": CLIENT_COLUMNS,
    "connection": ", ".join(f"k.{column} AS k_{column}" for column in OWN_COLUMNS),
    "organisation": ", ".join(f"o.{column} AS o_{column}" for column in ORGANISATION_COLUMNS),
    "counts": ", ".join(f"count(*) FILTER (WHERE status = '{each}') AS n_{each}" for each in Status),
}


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
        await current().run(_ALONG_THE_INDEX if query.is_of_clients else _ITS_OWN)
        rows = await current().rows(
            _BOARD.format(
                kept="NOT MATERIALIZED" if query.is_of_clients else "MATERIALIZED",
                key=_KEYS[query.sort],
                joined=_joined(query).format(product=sql.bind(query.product.value)),
                which=" AND ".join(_which(sql, query)),
                shown=" AND ".join(_shown(sql, query)),
                after=sql.after(after, query.direction, "sort_key", "id"),
                direction=query.direction.value,
                limit=sql.bind(first + 1),
                **_SHOWN,
            ),
            *sql.arguments,
        )
        return _page(rows, first=first, listed=listed, after=after)


def _joined(query: BoardQuery) -> str:
    """What lines are filtered and sorted by, and no more."""
    by_person = query.sort is BoardSort.INTEGRATED_BY
    wanted = {
        _CURRENT: True,
        _ORGANISATION: query.providers or query.sort in {BoardSort.LAST_SYNC, BoardSort.ORGANISATION},
        _CREDENTIAL: by_person or query.integrated_by,
        _PERSON: by_person,
    }
    return "".join(joined for joined, is_wanted in wanted.items() if is_wanted)


def _which(sql: ClientStatement, query: BoardQuery) -> list[str]:
    """Which clients: what is counted."""
    conditions = [sql.visible("c.id"), *(sql.word(word) for word in query.words)]
    if query.providers:
        conditions.append(f"o.provider = ANY ({sql.bind(sorted(query.providers))}::text[])")
    if query.team_ids:
        conditions.append(f"c.team_id = ANY ({sql.bind(sorted(query.team_ids))}::uuid[])")
    if query.integrated_by is not None:
        conditions.append(f"cr.person_id = {sql.bind(query.integrated_by)}::uuid")
    return conditions


def _shown(sql: ClientStatement, query: BoardQuery) -> list[str]:
    """In which state: what is shown of them."""
    conditions = ["true"]
    if query.statuses:
        conditions.append(f"status = ANY ({sql.bind(shown_as(query.statuses))}::text[])")
    if query.reasons:
        conditions.append(f"k_reason = ANY ({sql.bind(sorted(query.reasons))}::text[])")
    if query.with_warnings:
        conditions.append(_ends_by(sql, clock.now() + AHEAD))
    if query.expiring_before is not None:
        conditions.append(_ends_by(sql, max(clock.now(), query.expiring_before) - timedelta.resolution))
    return conditions


def _ends_by(sql: ClientStatement, until: datetime) -> str:
    """It works now, and by then it will not."""
    return is_warned_of("k_", practice="$1", at=sql.bind(clock.now()), until=sql.bind(until))


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
