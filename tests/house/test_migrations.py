"""Migrating is safe twice, at once, when killed, on filled databases; what does not fit is refused in a sentence."""

from __future__ import annotations

import asyncio
import json
from typing import TypeAlias

import asyncpg
import pytest

from tests.support import polling
from tests.support.blank import migrate, migrate_to
from tests.support.catalog import COMMITTED, OPEN_TABLES, describe
from tests.support.deployment import Deployment
from tests.support.ports import free_port
from tests.support.rows import Filler
from tieline.database.migrate import _LOCK, known_migrations

KNOWN = known_migrations()
NEWEST = KNOWN[-4:]
"""These are killed at all of their moments; those before are as they were when that was done, and have one each."""
Row: TypeAlias = dict[str, str]
Filled: TypeAlias = dict[str, list[Row]]
"""Rows by table, their values as JSON."""

# Statements that, in another's open transaction, bring a migration to a halt: in its first, a middle and a late
# step. When it is about to record itself is a moment of every migration.
MOMENTS = {
    "0001_practices_and_clients": [
        "CREATE TABLE practice ()",
        "CREATE TABLE client ()",
        "CREATE TABLE client_member ()",
    ],
    "0002_jobs_events_clock": ["CREATE TABLE job ()", "CREATE TABLE feed ()", "CREATE TABLE clock ()"],
    "0003_connections": [
        "CREATE TABLE provider_app ()",
        "CREATE TABLE sync_run ()",
        "CREATE TABLE sign_in_organisation ()",
    ],
    "0004_sync": ["CREATE TABLE quota_block ()", "CREATE TABLE record_set_aside ()"],
    "0005_turns": ["CREATE TABLE job_turn ()", "LOCK TABLE job IN ACCESS SHARE MODE"],
    "0006_told_pauses": ["LOCK TABLE sync_run IN ACCESS SHARE MODE"],
    "0007_hard_expiry": ["LOCK TABLE credential IN ACCESS SHARE MODE"],
    "0008_reconnect_all": [
        "LOCK TABLE connection IN ACCESS SHARE MODE",
        "LOCK TABLE sign_in IN ACCESS SHARE MODE",
    ],
    "0009_sweeps": [
        "LOCK TABLE practice IN ACCESS SHARE MODE",
        "LOCK TABLE ledger_record IN ROW EXCLUSIVE MODE",
    ],
    "0010_full_reads": ["LOCK TABLE feed_cursor IN ACCESS SHARE MODE"],
    "0011_rounds_for_connections": ["LOCK TABLE consent_round IN ACCESS SHARE MODE"],
    "0012_mended_and_lost": [
        "CREATE TABLE sign_in_mended ()",
        "LOCK TABLE consent IN ACCESS SHARE MODE",
    ],
    "0013_unchecked_consents": ["LOCK TABLE consent_round IN ACCESS SHARE MODE"],
    "0014_webhooks": ["LOCK TABLE provider_app IN ACCESS SHARE MODE", "CREATE TABLE webhook_touch ()"],
    "0015_quota_meters": ["CREATE TABLE quota_meter ()"],
    "0016_people": ["LOCK TABLE person IN ACCESS SHARE MODE", "CREATE TABLE activity ()"],
    "0017_connection_settings": ["LOCK TABLE connection IN ACCESS SHARE MODE"],
    "0018_invitations": ["CREATE TABLE invitation ()"],
    "0019_keys_in_use": [
        "LOCK TABLE api_key IN ACCESS SHARE MODE",
        "LOCK TABLE activity IN ROW EXCLUSIVE MODE",
    ],
    "0020_giving_back": ["CREATE TABLE giving_back ()"],
    "0021_schedule": [
        "LOCK TABLE organisation IN ACCESS SHARE MODE",
        "LOCK TABLE practice IN ACCESS SHARE MODE",
    ],
}
RECORDING = "LOCK TABLE tortoise_migrations IN SHARE MODE"

WAITS_FOR = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))"
ALONE = """
SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user)
"""
BOTH_WAIT = """
SELECT count(*) = 2 FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
 WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()
"""


async def test_migrating_again_does_nothing_and_says_so(empty: Deployment) -> None:
    first = await migrate(empty)
    before = await catalog_of(empty)

    again = await migrate(empty)
    said = await asyncio.to_thread(empty.run, "migrate")

    assert first == list(KNOWN)
    assert again == []
    assert (said.returncode, said.stdout) == (0, f"The schema is current: {KNOWN[-1]}.\n")
    assert await catalog_of(empty) == before


async def test_two_processes_that_migrate_at_once_both_succeed_and_apply_each_migration_once(
    empty: Deployment,
) -> None:
    above = await empty.connect()
    await above.execute("SELECT pg_advisory_lock($1)", _LOCK)
    both = [asyncio.create_task(asyncio.to_thread(empty.run, "migrate")) for _ in range(2)]

    await until(above, BOTH_WAIT)
    await above.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    done = await asyncio.gather(*both)
    await above.close()

    assert [process.returncode for process in done] == [0, 0], done
    lines = [line for process in done for line in process.stdout.splitlines() if line.startswith("applying")]
    assert lines == [f"applying {name}" for name in KNOWN]
    assert await catalog_of(empty) == COMMITTED.read_text()


def test_every_migration_has_its_moments() -> None:
    assert set(MOMENTS) == set(KNOWN), "Say in MOMENTS where each migration is to be killed."


async def test_a_migration_that_is_killed_leaves_nothing_behind_and_succeeds_the_next_time(
    empty: Deployment,
) -> None:
    above, holder = await empty.connect(), await empty.connect()
    await killed(empty, MOMENTS[KNOWN[0]][0], above, holder)  # before anything, it makes its table of records
    for number, name in enumerate(KNOWN):
        before = await describe(above)

        moments = [*MOMENTS[name], RECORDING]
        for moment in moments if name in NEWEST else [moments[number % len(moments)]]:
            await killed(empty, moment, above, holder)

            assert await describe(above) == before, (name, moment)
            assert await recorded(above) == list(KNOWN[:number]), (name, moment)
        if name == KNOWN[-1]:
            assert await migrate(empty) == [name]
        else:
            await migrate_to(empty, name)
    assert await describe(above) == COMMITTED.read_text()
    await above.close()
    await holder.close()


@pytest.mark.parametrize("stops", [KNOWN[:1], KNOWN[:-1]], ids=["at the first", "at every one on the way"])
async def test_a_filled_database_keeps_every_row_on_the_way_to_the_latest(
    empty: Deployment, stops: tuple[str, ...]
) -> None:
    before: Filled = {}
    for name in stops:
        await migrate_to(empty, name)
        assert lost(before, await all_rows(empty)) == {}, name
        before = await filled(empty)

    applied = await migrate(empty)

    assert applied == list(KNOWN[len(stops) :])
    assert lost(before, await all_rows(empty)) == {}
    assert await catalog_of(empty) == COMMITTED.read_text()


@pytest.mark.parametrize(
    ("command", "damage"),
    [
        ("migrate", "REVOKE ALL ON tortoise_migrations FROM tieline"),
        ("migrate", "ALTER TABLE tortoise_migrations OWNER TO CURRENT_USER"),
        ("serve", "REVOKE ALL ON tortoise_migrations FROM tieline"),
    ],
)
async def test_a_record_of_migrations_that_cannot_be_read_is_refused_and_nothing_is_migrated(
    up_to_date: Deployment, command: str, damage: str
) -> None:
    before = await damaged(up_to_date, damage)

    refused = await said_by(up_to_date, command)

    assert refused == (
        "tieline: The login may not read tortoise_migrations, which says how far the database was migrated: "
        "let an administrator make the login its owner."
    )
    assert await catalog_of(up_to_date) == before


@pytest.mark.parametrize("damage", ["DROP TABLE tortoise_migrations", "TRUNCATE tortoise_migrations"])
async def test_tables_without_a_record_of_migrations_are_not_migrated_anew(
    up_to_date: Deployment, damage: str
) -> None:
    before = await damaged(up_to_date, damage)

    refused = await said_by(up_to_date, "migrate")

    assert refused == (
        "tieline: The database has Tieline's tables, but tortoise_migrations does not say how they were made: "
        "restore that table too, from the same backup."
    )
    assert await catalog_of(up_to_date) == before


@pytest.mark.parametrize("command", ["migrate", "serve"])
async def test_a_database_of_a_newer_version_is_refused(up_to_date: Deployment, command: str) -> None:
    await damaged(
        up_to_date,
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('tieline', '9999_future', '2031-05-04')",
    )

    refused = await said_by(up_to_date, command)

    assert refused == (
        "tieline: The database was migrated by a newer Tieline (it has 9999_future): start that version."
    )


async def test_a_database_that_lacks_migrations_is_refused(empty: Deployment) -> None:
    await migrate_to(empty, KNOWN[0])

    refused = await said_by(empty, "serve")

    assert refused == (
        f"tieline: The database lacks {len(KNOWN) - 1} migration(s), next {KNOWN[1]}: run 'tieline migrate'."
    )


async def killed(
    made: Deployment, moment: str, watcher: asyncpg.Connection, holder: asyncpg.Connection
) -> None:
    """Kill `tieline migrate` while it waits for what this open transaction holds, then end the transaction."""
    holding = holder.transaction()
    await holding.start()
    await holder.execute(moment)
    process = made.start("migrate")
    try:
        await until(watcher, WAITS_FOR, holder.get_server_pid())
    finally:
        process.kill()
        await holding.rollback()
    await until(watcher, ALONE)


async def said_by(made: Deployment, command: str) -> str:
    """The sentence of a command that refuses to start."""
    done = await asyncio.to_thread(made.run, command, TIELINE_PORT=str(free_port()))
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "Traceback" not in done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("tieline: ")]
    return sentence


async def damaged(made: Deployment, sql: str) -> str:
    """Do this from above; the catalog as it is then."""
    above = await made.connect()
    await above.execute(sql)
    said = await describe(above)
    await above.close()
    return said


async def catalog_of(made: Deployment) -> str:
    return await damaged(made, "SELECT")


async def recorded(above: asyncpg.Connection) -> list[str]:
    return [row["name"] for row in await above.fetch("SELECT name FROM tortoise_migrations ORDER BY name")]


async def filled(made: Deployment) -> Filled:
    """All rows, once each table has got some of two practices more."""
    above = await made.connect()
    fill = await Filler.over(above)
    for practice_id in (await fill.practice(), await fill.practice()):
        for table in await tables_of(above):
            await fill.row(table, practice_id)
    await above.close()
    rows = await all_rows(made)
    assert min(len(each) for each in rows.values()) >= 2
    return rows


async def all_rows(made: Deployment) -> Filled:
    above = await made.connect()
    rows = {table: await rows_of(above, table) for table in await tables_of(above)}
    await above.close()
    return rows


async def tables_of(above: asyncpg.Connection) -> list[str]:
    found = await above.fetch("SELECT relname::text FROM pg_stat_user_tables")
    return [row["relname"] for row in found if row["relname"] not in OPEN_TABLES]


async def rows_of(above: asyncpg.Connection, table: str) -> list[Row]:
    found = await above.fetch(f"SELECT to_jsonb(t)::text AS row FROM {table} AS t")
    return [{name: json.dumps(value) for name, value in json.loads(row["row"]).items()} for row in found]


def lost(before: Filled, after: Filled) -> Filled:
    """By table: rows that are not there as they were, new columns aside; all of a table that has got more or fewer."""
    missing = {}
    for table, rows in before.items():
        columns = list(rows[0])
        kept = {tuple(row.get(column) for column in columns) for row in after[table]}
        same = len(rows) == len(after[table])
        gone = [row for row in rows if tuple(row.values()) not in kept or not same]
        if gone:
            missing[table] = gone
    return missing


async def until(watcher: asyncpg.Connection, sql: str, *arguments: object) -> None:
    async def answers_yes() -> bool:
        return bool(await watcher.fetchval(sql, *arguments))

    await polling.until(answers_yes, f"PostgreSQL answers yes to {sql}")
