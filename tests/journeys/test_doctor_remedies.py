"""`tieline doctor` says of whatever would stop a start what is wrong, and apart from that what to do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import asyncpg
import pytest

from tests.support.deployment import Deployment
from tests.support.diagnosed import Diagnosed, diagnosed
from tests.support.ports import free_port
from tieline.database import connect
from tieline.database.migrate import known_migrations
from tieline.database.migration import RECORD
from tieline.ids import new_id

_LAST = known_migrations()[-1]
_GIVEN_UP = """
INSERT INTO job (id, actor, arguments, lane, due_at, created_at, correlation_id, attempts, failed_at, error)
VALUES ($1, 'sign_ins.revoke', '{}', 'BACKGROUND', $2, $2, 'test', 12, $2, 'WorkersDied: The worker died 12 times.')
"""


@pytest.fixture(scope="module")
async def own(
    deployment: Deployment, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Diagnosed]:
    folder = tmp_path_factory.mktemp("redis")
    async with diagnosed(deployment, f"tieline_remedies_{worker_id}", folder) as made:
        yield made


@asynccontextmanager
async def above(own: Diagnosed) -> AsyncIterator[asyncpg.Connection]:
    connection = await own.deployment.connect()
    try:
        yield connection
    finally:
        await connection.close()


def test_a_plugin_that_is_refused(own: Diagnosed) -> None:
    found = own.findings(TIELINE_PLUGINS="xero,abacus")

    assert found["plugins"] == (
        "MEND",
        "TIELINE_PLUGINS names the plugin 'abacus', which is not installed",
        ["Install it, or take it off the list."],
    )


def test_a_postgresql_that_does_not_answer(own: Diagnosed) -> None:
    port = free_port()

    found = own.findings(TIELINE_DATABASE_URL=f"postgres://tieline:secret@127.0.0.1:{port}/tieline")

    grade, said, remedy = found["PostgreSQL"]
    assert (grade, remedy) == ("MEND", ["Check TIELINE_DATABASE_URL and that the server runs."])
    assert said.startswith(f"PostgreSQL at 127.0.0.1:{port} cannot be used (")
    assert "login and roles" not in found


def of_a_later_version() -> None:
    patch.object(connect, "MINIMUM_MAJOR", 99).start()


def test_a_postgresql_that_is_too_old_and_nothing_in_it_is_looked_at(own: Diagnosed) -> None:
    found = own.findings(prepare=of_a_later_version)

    grade, said, remedy = found["PostgreSQL"]
    assert (grade, remedy) == ("MEND", ["Upgrade the server to 99 or newer."])
    assert re.fullmatch(r"PostgreSQL \d+ is too old", said)
    assert "login and roles" not in found


async def test_a_schema_that_is_older_newer_or_not_to_be_read(own: Diagnosed) -> None:
    async with above(own) as connection:
        await connection.execute("DELETE FROM tortoise_migrations WHERE name = $1", _LAST)
        older = own.findings()["schema"]
        await connection.execute(RECORD, "tieline", _LAST)
        await connection.execute(RECORD, "tieline", "9999_later")
        newer = own.findings()["schema"]
        await connection.execute("DELETE FROM tortoise_migrations WHERE name = '9999_later'")
        await connection.execute("ALTER TABLE tortoise_migrations OWNER TO CURRENT_USER")
        hidden = own.findings()["schema"]
        await connection.execute("ALTER TABLE tortoise_migrations OWNER TO tieline")

    assert older == (
        "MEND",
        f"The database lacks 1 migration(s), next {_LAST}",
        ["Run 'tieline migrate'."],
    )
    assert newer == (
        "MEND",
        "The database was migrated by a newer Tieline (it has 9999_later)",
        ["Start that version."],
    )
    assert hidden[0] == "MEND"
    assert hidden[2] == ["Let an administrator make the login its owner."]
    assert own.findings()["schema"][0] == "ok"


async def test_jobs_that_were_given_up_begin_anew_by_the_sql_of_the_manual(own: Diagnosed) -> None:
    job = new_id()
    async with above(own) as connection:
        await connection.execute(_GIVEN_UP, job, datetime.now(UTC))
        given_up = own.findings()["jobs"]
        await as_the_login(own, the_sql())
        anew = own.findings()["jobs"]
        await connection.execute("DELETE FROM job")

    assert given_up[:2] == (
        "MEND",
        "BACKGROUND 0 due, 0 running, FIRST 0 due, 0 running, INTERACTIVE 0 due, 0 running; 1 given up, the latest:",
    )
    assert given_up[2][0] == f"sign_ins.revoke ({job}): WorkersDied: The worker died 12 times."
    assert given_up[2][-1].startswith("Then have them begin anew: docs/operations.md has the SQL")
    assert anew[:2] == (
        "ok",
        "BACKGROUND 1 due, 0 running, FIRST 0 due, 0 running, INTERACTIVE 0 due, 0 running",
    )


def the_sql() -> str:
    section = (
        Path("docs/operations.md").read_text().partition("\n## Jobs that fail\n")[2].partition("\n## ")[0]
    )
    return section.partition("```sql\n")[2].partition("```")[0]


async def as_the_login(own: Diagnosed, sql: str) -> None:
    connection = await asyncpg.connect(own.deployment.environment["TIELINE_DATABASE_URL"])
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
