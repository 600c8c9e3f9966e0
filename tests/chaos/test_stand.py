"""What the figures under faults stand on: servers that keep their word, and processes that are looked at."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from tests.chaos.stand import Stand
from tests.support.own_postgres import running_postgres


async def test_a_postgresql_that_is_stopped_at_once_keeps_what_was_committed_and_comes_back_where_it_was(
    tmp_path: Path,
) -> None:
    with running_postgres(tmp_path) as postgres:
        before = await asyncpg.connect(postgres.admin_url)
        await before.execute("CREATE TABLE kept (number int)")
        await before.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        await before.execute("BEGIN")
        await before.execute("INSERT INTO kept VALUES (0)")

        postgres.restart()

        after = await asyncpg.connect(postgres.admin_url)
        assert await after.fetchval("SELECT array_agg(number ORDER BY number) FROM kept") == list(
            range(1, 1001)
        )
        await after.close()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await before.execute("COMMIT")
        before.terminate()


def break_off() -> None:
    raise RuntimeError("on purpose")


async def test_a_stand_fails_the_test_when_code_broke_off_in_a_process_or_it_logged_an_error(
    stand: Stand,
) -> None:
    stand.start("scheduler", "scheduler")
    stand.asserts_sound()

    log = stand.running["scheduler"].log
    with log.open("a") as more:
        more.write('{"event": "job.given_up", "level": "error"}\n')
    with pytest.raises(AssertionError, match=r"job\.given_up"):
        stand.asserts_sound()
    stand.allowed.add("job.given_up")
    stand.asserts_sound()
    with pytest.raises(AssertionError, match="did not come"):
        stand.start("broken", "scheduler", prepare=break_off)
    with pytest.raises(AssertionError, match="on purpose"):
        stand.asserts_sound()
    stand._all[-1][1].log.write_text("")
