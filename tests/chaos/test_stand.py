"""What the figures under faults stand on: servers that keep their word, and processes that are looked at."""

from __future__ import annotations

import asyncpg
import pytest

from tests.chaos.stand import Stand


async def test_a_postgresql_that_is_stopped_at_once_keeps_what_was_committed_and_comes_back_where_it_was(
    durable_stand: Stand,
) -> None:
    assert durable_stand.postgres is not None
    durable_stand.start("scheduler", "scheduler")
    await durable_stand.rows("CREATE TABLE kept (number int)")
    committed = await durable_stand.rows("INSERT INTO kept SELECT generate_series(1, 1000) RETURNING number")
    before = await durable_stand.deployment.connect()
    await before.execute("BEGIN; INSERT INTO kept VALUES (0)")

    durable_stand.postgres.restart()

    assert await durable_stand.rows("SELECT number FROM kept ORDER BY number") == committed
    assert durable_stand.is_running("scheduler")
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
