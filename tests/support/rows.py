"""Rows for any table there is, made from what the catalog says of it: each with new parents of its own.

Required columns are filled by their type, foreign keys by making the row they point at. What a table's checks
want beyond that stands in `FITTING`; a table that still cannot be filled fails with a sentence that names it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.catalog import ForeignKey, foreign_keys, practice_column
from tieline.ids import new_id

Row = dict[str, Any]

_INSTANT = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)

# What a table's checks want, where the type alone does not say it.
FITTING: dict[str, dict[str, object]] = {
    "practice": {"plan": "ADVANCED"},
    "practice_member": {"role": "MEMBER", "client_access": "LISTED"},
    "client_member": {"role": "READER"},
    "provider_app": {"environment": "LIVE"},
    "credential": {"state": "DEAD"},
    "invitation": {"kind": "CLIENT_MEMBER", "client_role": "READER", "accepted_at": _INSTANT},
    "connection": {"product": "BOOKKEEPING", "reason": "DISCONNECTED"},  # so that it holds no organisation
    "sign_in": {"purpose": "CONNECT", "state": "STARTED"},
    "sync_run": {"state": "SUCCEEDED"},
    "job": {"lane": "BACKGROUND", "failed_at": _INSTANT},  # failed, so that no worker takes it up
}

_BY_TYPE: dict[str, Callable[[], object]] = {
    "uuid": new_id,
    "text": lambda: f"x{secrets.token_hex(4)}",
    "character varying": lambda: f"x{secrets.token_hex(4)}",
    "timestamp with time zone": lambda: _INSTANT,
    "date": lambda: date(2031, 5, 4),
    "interval": lambda: timedelta(hours=1),
    "jsonb": lambda: "{}",
    "bytea": lambda: secrets.token_bytes(32),
    "boolean": lambda: False,
    "integer": lambda: 1,
    "bigint": lambda: 1,
    "numeric": lambda: 1,
    "text[]": list,
    "uuid[]": list,
}
_REQUIRED = """
SELECT a.attname::text AS column, format_type(a.atttypid, NULL) AS type
  FROM pg_attribute AS a
 WHERE a.attrelid = ('public.' || quote_ident($1))::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
"""
_GENERATED = """
SELECT a.attname::text AS column FROM pg_attribute AS a
 WHERE a.attrelid = ('public.' || quote_ident($1))::regclass AND a.attgenerated <> ''
"""


@dataclass(frozen=True, kw_only=True)
class Filler:
    """Makes rows through a superuser's connection, so that no policy stands in the way."""

    connection: asyncpg.Connection
    keys: tuple[ForeignKey, ...]
    _said: dict[tuple[str, str], list[asyncpg.Record]] = field(default_factory=dict, repr=False)

    @classmethod
    async def over(cls, connection: asyncpg.Connection) -> Filler:
        return cls(connection=connection, keys=tuple(await foreign_keys(connection)))

    async def practice(self) -> UUID:
        """A new practice, by its id."""
        practice_id = new_id()
        await self._insert("practice", await self.values("practice", practice_id))
        return practice_id

    async def row(self, table: str, practice_id: UUID) -> Row:
        """A new row of this practice, as it stands in the table."""
        if table == "practice":
            found = await self.connection.fetchrow("SELECT * FROM practice WHERE id = $1", practice_id)
            return dict(found)
        return await self._insert(table, await self.values(table, practice_id))

    async def values(self, table: str, practice_id: UUID) -> Row:
        """What a new row of this practice would hold; its parents are made, it is not."""
        return await self._values(table, practice_id, ())

    async def forget(self, *practices: UUID) -> None:
        """Delete every row of these practices, in whatever order."""
        tables = {key.table for key in self.keys} | {"practice"}
        async with self.connection.transaction():
            await self.connection.execute("SET LOCAL session_replication_role = replica")
            for table in tables:
                mine = f"{practice_column(table)} = ANY($1::uuid[])"
                await self.connection.execute(f"DELETE FROM {table} WHERE {mine}", practices)

    async def _values(self, table: str, practice_id: UUID, above: tuple[str, ...]) -> Row:
        values: Row = FITTING.get(table, {}) | {practice_column(table): practice_id}
        await self._point(table, practice_id, values, above)
        for column in await self._asked(_REQUIRED, table):
            if column["column"] not in values:
                values[column["column"]] = _of_type(table, column["column"], column["type"])
        return values

    async def _point(self, table: str, practice_id: UUID, values: Row, above: tuple[str, ...]) -> None:
        """Fill the foreign keys; one that leads back to a table on the way stays null."""
        generated = {row["column"] for row in await self._asked(_GENERATED, table)}
        for key in (key for key in self.keys if key.table == table and key.target != "practice"):
            wanted = [pair for pair in key.pairs if pair[0] not in values and pair[0] not in generated]
            if not wanted or key.target in (*above, table):
                continue
            parent = await self._insert(
                key.target, await self._values(key.target, practice_id, (*above, table))
            )
            values.update({column: parent[target] for column, target in wanted})

    async def _asked(self, sql: str, table: str) -> list[asyncpg.Record]:
        """What the catalog says of a table, once: it stays as it is while this fills it."""
        if (sql, table) not in self._said:
            self._said[sql, table] = await self.connection.fetch(sql, table)
        return self._said[sql, table]

    async def _insert(self, table: str, values: Mapping[str, object]) -> Row:
        try:
            return dict(
                await self.connection.fetchrow(insertion(table, values) + " RETURNING *", *values.values())
            )
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as misfit:
            raise AssertionError(
                f"The table {table} cannot be filled: say in FITTING (tests/support/rows.py) what it wants. {misfit}"
            ) from misfit


def insertion(table: str, values: Mapping[str, object]) -> str:
    """Returns nothing, so that only the rules for writing are asked, not those for reading too."""
    columns = ", ".join(f'"{column}"' for column in values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({places})"


def _of_type(table: str, column: str, type_: str) -> object:
    if type_ not in _BY_TYPE:
        raise AssertionError(
            f"The table {table} cannot be filled: nothing makes a {type_} for its column {column}; "
            "add one to tests/support/rows.py."
        )
    return _BY_TYPE[type_]()
