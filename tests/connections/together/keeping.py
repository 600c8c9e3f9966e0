"""A practice's rows as they were at one moment, put back as often as it is played from there."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from uuid import UUID

from tests.connections.together.facts import Facts, Person
from tests.connections.together.ledger import Granted, Whose
from tests.connections.together.stage import Stage

_TABLES = """
SELECT c.table_name AS name,
       string_agg(quote_ident(c.column_name), ', ') FILTER (WHERE c.is_generated = 'NEVER') AS columns
  FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
 GROUP BY c.table_name HAVING bool_or(c.column_name = 'practice_id') ORDER BY c.table_name
"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One moment of a stage: its rows in temporary tables of this name, and what the provider had granted."""

    name: str
    restoring: str = field(repr=False)
    facts: Facts = field(repr=False)
    granted: dict[Whose, Granted] = field(repr=False)
    signed_in: list[tuple[Person, UUID]] = field(repr=False)


async def keep(stage: Stage, name: str) -> Kept:
    tables = {row["name"]: row["columns"] for row in await stage.sql.fetch(_TABLES)}
    for table, columns in tables.items():
        await stage.sql.execute(
            f"DROP TABLE IF EXISTS pg_temp.{name}_{table}; CREATE TEMP TABLE {name}_{table} AS "
            f"SELECT {columns} FROM {table} WHERE practice_id = '{stage.practice_id}'"
        )
    return Kept(
        name=name,
        restoring=_restoring(stage, name, tables),
        facts=await stage.facts(),
        granted=deepcopy(stage.ledger.granted),
        signed_in=list(stage.signed_in),
    )


async def put_back(stage: Stage, kept: Kept) -> None:
    await stage.sql.execute(kept.restoring)
    stage.ledger.granted = deepcopy(kept.granted)
    stage.ledger.removed.clear()
    stage.signed_in[:] = kept.signed_in


def _restoring(stage: Stage, name: str, tables: dict[str, str]) -> str:
    """Past all triggers: what the rows refer to is put back as well."""
    whose = f"WHERE practice_id = '{stage.practice_id}'"
    steps = [f"DELETE FROM {table} {whose}" for table in tables]
    steps += [
        f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM pg_temp.{name}_{table}"
        for table, columns in tables.items()
    ]
    return "; ".join(["BEGIN", "SET LOCAL session_replication_role = replica", *steps, "COMMIT"])
