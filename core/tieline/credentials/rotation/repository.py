"""The SQL of all that is sealed: read in batches by id, replaced only where it is still what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tieline.database import current
from tieline.vault import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column that holds seals."""

    table: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """One sealed value and its place."""

    place: Place
    sealed: bytes


COLUMNS = (
    Column(table="provider_app", name="secret_sealed"),
    Column(table="provider_app", name="webhook_secret_sealed"),
    Column(table="credential", name="tokens_sealed"),
    Column(table="credential", name="previous_sealed"),
    Column(table="consent_round", name="verifier_sealed"),
    Column(table="consent_round", name="tokens_sealed"),
)


async def read_sealed(column: Column, *, after: UUID, limit: int) -> list[Sealed]:
    """The next values of the column by the ids of their rows, of all practices. System scope."""
    rows = await current().rows(
        f"SELECT practice_id, id, {column.name} AS sealed FROM {column.table} "
        f"WHERE id > $1 AND {column.name} IS NOT NULL ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [
        Sealed(
            place=Place(
                practice_id=row["practice_id"], table=column.table, row_id=row["id"], column=column.name
            ),
            sealed=row["sealed"],
        )
        for row in rows
    ]


async def replace_sealed(column: Column, replaced: Sequence[tuple[Sealed, bytes]]) -> int:
    """Write the new seals where the old ones still stand; how many that were. System scope."""
    return await current().run(
        f"""
        WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS w (id, old, new)),
             locked AS MATERIALIZED (
                 SELECT t.id FROM {column.table} AS t WHERE t.id = ANY ($1::uuid[]) ORDER BY t.id FOR NO KEY UPDATE)
        UPDATE {column.table} AS t SET {column.name} = w.new
          FROM wanted AS w JOIN locked AS l ON l.id = w.id
         WHERE t.id = w.id AND t.{column.name} = w.old
        """,
        [old.place.row_id for old, _ in replaced],
        [old.sealed for old, _ in replaced],
        [new for _, new in replaced],
    )
