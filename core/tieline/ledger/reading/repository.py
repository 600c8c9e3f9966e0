"""The SQL of lists of records: of the organisation that a connection the caller may see points at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tieline.clients.repository import ClientStatement
from tieline.database import current
from tieline.errors import NotFound, OrganisationInUse
from tieline.events.place import FEED
from tieline.ids import ConnectionId
from tieline.ledger.datasets import Dataset
from tieline.ledger.reading.places import Place, encode_place
from tieline.pages import Direction, Page, page_of
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerRecord:
    """One record as its last sync left it. `data` is a canonical record's JSON, perhaps of an older shape.

    `currency` is the organisation's, which amounts are in where the record names none.
    """

    dataset: Dataset
    external_id: str
    active: bool
    updated_at: datetime | None
    currency: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSetAside:
    """A record that could not be read when it last came; `external_id` is empty where its id could not either."""

    dataset: str
    external_id: str
    why: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerQuery:
    """Records of these datasets; `active` leaves only those that are, or only those that are not."""

    connection_id: ConnectionId
    datasets: tuple[Dataset, ...]
    direction: Direction
    active: bool | None


# Each dataset is read along the index that has its order, and no further than a page goes. Of a practice that is new to
# its statistics the planner expects one row or none, and to fetch all and sort them seems as cheap; so it may not.
_ALONG_THE_INDEX = "SET LOCAL enable_sort = off"
_BOOKS = """
WITH books AS MATERIALIZED (
     SELECT o.id, o.name, o.currency,
            (o.client_id IS NULL OR o.client_id = k.client_id OR {sees_whom_it_serves}) AS readable
       FROM connection AS k
      CROSS JOIN LATERAL (
            SELECT * FROM client AS c WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c
      CROSS JOIN LATERAL (
            SELECT * FROM organisation AS o
             WHERE o.practice_id = k.practice_id AND o.id = k.organisation_id LIMIT 1) AS o
      WHERE k.practice_id = $1 AND k.id = {connection} AND c.deleted_at IS NULL AND {visible})
"""
_PAGE = (
    _BOOKS
    + f"""
SELECT books.name AS organisation, books.currency, books.readable,
       {FEED},
       (SELECT count(*) FROM ledger_record AS r
         WHERE r.practice_id = $1 AND r.organisation_id = (SELECT id FROM books) AND r.dataset = ANY ({{datasets}})
           AND r.deleted_at IS NULL AND {{active}}) AS total,
       page.*
  FROM feed
 CROSS JOIN books
  LEFT JOIN LATERAL (
       SELECT r.* FROM unnest({{datasets}}) AS d (dataset)
        CROSS JOIN LATERAL (
              SELECT r.dataset, r.external_id, r.sort_key, r.active, r.source_updated_at, r.data::text AS data
                FROM ledger_record AS r
               WHERE r.practice_id = $1 AND r.organisation_id = (SELECT id FROM books) AND r.dataset = d.dataset
                 AND r.deleted_at IS NULL AND {{active}} AND {{after}}
               ORDER BY r.sort_key {{direction}}, r.external_id {{direction}}
               LIMIT {{limit}}) AS r
        ORDER BY r.sort_key {{direction}}, r.external_id {{direction}}, r.dataset {{direction}}
        LIMIT {{limit}}) AS page ON true
 ORDER BY page.sort_key {{direction}}, page.external_id {{direction}}, page.dataset {{direction}}
"""
)
_SET_ASIDE = (
    _BOOKS
    + """
SELECT books.name AS organisation, books.readable, aside.*
  FROM books
  LEFT JOIN LATERAL (
       SELECT s.dataset, s.external_id, s.why, s.at FROM record_set_aside AS s
        WHERE s.practice_id = $1 AND s.organisation_id = books.id
        ORDER BY s.at DESC, s.dataset, s.external_id LIMIT {limit}) AS aside ON true
 ORDER BY aside.at DESC, aside.dataset, aside.external_id
"""
)


class LedgerListing:
    """Records that one caller may see, page by page."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def visible_to(cls, principal: Principal) -> LedgerListing:
        return cls(principal)

    async def page(
        self, query: LedgerQuery, *, after: Place | None, first: int, listed: str
    ) -> Page[LedgerRecord]:
        """One page, the total and the event cursor, in one statement and so of one moment; the scope's only one.

        Raises NotFound, and OrganisationInUse where the books serve a client by now that the caller may not see.
        """
        sql = ClientStatement(self._principal)
        await current().run(_ALONG_THE_INDEX)
        rows = await current().rows(
            _PAGE.format(
                **_of_books(sql, query.connection_id),
                datasets=f"{sql.bind(list(query.datasets))}::text[]",
                active="true" if query.active is None else f"r.active = {sql.bind(query.active)}",
                after=_after(sql, after, query.direction),
                direction=query.direction.value,
                limit=sql.bind(first + 1),
            ),
            *sql.arguments,
        )
        _check(rows, query.connection_id)
        return page_of(
            rows, _record, lambda row: _cursor(listed, row), first=first, after=after, id="external_id"
        )

    async def set_aside(self, connection_id: ConnectionId, *, most: int) -> list[RecordSetAside]:
        """What could not be read, the latest first. Raises as `page` does."""
        sql = ClientStatement(self._principal)
        statement = _SET_ASIDE.format(**_of_books(sql, connection_id), limit=sql.bind(most))
        rows = await current().rows(statement, *sql.arguments)
        _check(rows, connection_id)
        return [
            RecordSetAside(
                dataset=row["dataset"], external_id=row["external_id"], why=row["why"], at=row["at"]
            )
            for row in rows
            if row["external_id"] is not None
        ]


def _of_books(sql: ClientStatement, connection_id: ConnectionId) -> dict[str, str]:
    return {
        "connection": f"{sql.bind(connection_id)}::uuid",
        "visible": sql.visible("k.client_id"),
        "sees_whom_it_serves": sql.visible("o.client_id"),
    }


def _check(rows: Sequence[Any], connection_id: ConnectionId) -> None:
    if not rows:
        raise NotFound("connection", connection_id, field="connectionId")
    if not rows[0]["readable"]:
        raise OrganisationInUse(rows[0]["organisation"], None, field="connectionId")


def _after(sql: ClientStatement, after: Place | None, direction: Direction) -> str:
    if after is None:
        return "true"
    operator = ">" if direction is Direction.ASC else "<"
    place = (sql.bind(value) for value in (after.sort_key, after.external_id, after.dataset))
    return f"(r.sort_key, r.external_id, r.dataset) {operator} ({', '.join(place)})"


def _cursor(listed: str, row: Any) -> str:
    place = Place(sort_key=row["sort_key"], external_id=row["external_id"], dataset=row["dataset"])
    return encode_place(listed, place)


def _record(row: Any) -> LedgerRecord:
    data = json.loads(row["data"], parse_float=Decimal, parse_int=Decimal)
    return LedgerRecord(
        dataset=Dataset(row["dataset"]),
        external_id=row["external_id"],
        active=row["active"],
        updated_at=row["source_updated_at"],
        currency=row["currency"],
        data=data if isinstance(data, dict) else {},
    )
