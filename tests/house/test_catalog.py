"""The database that migrations make from nothing is the committed one, and holds what the design promises."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from difflib import unified_diff

import asyncpg
import pytest

from tests.support.blank import blank_deployment, migrate
from tests.support.catalog import COMMITTED, OPEN_TABLES, describe, foreign_keys
from tests.support.deployment import Deployment

_REFRESH = "TIELINE_REFRESH_CATALOG"


@pytest.fixture(scope="module")
async def catalog(deployment: Deployment, worker_id: str) -> AsyncIterator[asyncpg.Connection]:
    """The freshly migrated database, seen from above; nobody changes it."""
    async with blank_deployment(deployment, f"tieline_catalog_{worker_id}") as empty:
        await migrate(empty)
        connection = await empty.connect()
        yield connection
        await connection.close()


async def test_an_empty_database_migrates_to_the_committed_catalog(catalog: asyncpg.Connection) -> None:
    if os.environ.get(_REFRESH):
        COMMITTED.write_text(await describe(catalog))

    said = await describe(catalog)

    committed = COMMITTED.read_text() if COMMITTED.exists() else ""
    change = "\n".join(
        unified_diff(committed.splitlines(), said.splitlines(), "committed", "migrated", "", "", 2)
    )
    assert not change, (
        f"Migrations make another database than {COMMITTED.name} says. If that is meant, refresh the file with\n"
        f"  {_REFRESH}=1 make test ARGS=tests/house/test_catalog.py\nand commit it.\n\n{change}"
    )


async def test_every_table_but_the_deployments_own_has_forced_row_level_security_and_both_policies(
    catalog: asyncpg.Connection,
) -> None:
    rows = await catalog.fetch(
        """
        SELECT c.relname::text AS table, c.relrowsecurity AND c.relforcerowsecurity AS forced,
               ARRAY(SELECT p.roles::text FROM pg_policies AS p WHERE p.tablename = c.relname ORDER BY 1) AS policies
          FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        """
    )

    walled = {row["table"] for row in rows if row["forced"]}
    both = ["{tieline_app}", "{tieline_system}"]
    assert {row["table"] for row in rows} - walled == set(OPEN_TABLES)
    assert [row["table"] for row in rows if row["forced"] and row["policies"] != both] == []


async def test_a_foreign_key_between_tenant_tables_carries_the_practice_on_both_sides(
    catalog: asyncpg.Connection,
) -> None:
    keys = await foreign_keys(catalog)

    assert len(keys) >= 16
    assert [key.name for key in keys if not key.carries_practice] == []


async def test_every_foreign_key_names_its_on_delete_and_was_validated(catalog: asyncpg.Connection) -> None:
    keys = await foreign_keys(catalog)

    assert [key.name for key in keys if key.deletion == "a"] == []
    assert [key.name for key in keys if not key.validated] == []


async def test_every_tenant_table_hangs_on_its_practice_so_that_no_row_can_outlive_it(
    catalog: asyncpg.Connection,
) -> None:
    keys = await foreign_keys(catalog)

    held = {"practice"}
    while more := {key.table for key in keys if key.target in held and key.carries_practice} - held:
        held |= more
    tables = {row["relname"] for row in await catalog.fetch("SELECT relname::text FROM pg_stat_user_tables")}
    assert tables - held == set(OPEN_TABLES)
