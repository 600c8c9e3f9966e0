"""What the figures under faults stand on: servers that keep their word, and processes that are looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from redis import Redis, RedisError

from tests.chaos.restarting import Absence, longest_after
from tests.chaos.stand import Stand
from tests.support.polling import wait_until
from tests.support.ports import free_port
from tests.support.source import ROOT

_STARTER = """
import sys
from pathlib import Path
from tests.support.own_redis import OwnRedis
from tieline.embedded.binaries import redis_program

OwnRedis(settings=None, program=redis_program(), port=int(sys.argv[1]), folder=Path(sys.argv[2])).start()
print("started", flush=True)
sys.stdin.read()
"""


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


@pytest.mark.parametrize(
    ("told_away", "seconds"),
    [
        ((), 0),
        ((11.0, 12.0), 0),  # while it is away
        ((12.0, 13.0, 14.5), 1.5),
        ((13.0, 29.0, 31.0), 16.0),  # before the next absence, and in it
        ((33.0, 99.0), 66.0),
    ],
)
def test_who_is_told_that_a_database_is_away_is_told_so_too_late_until_it_really_is(
    told_away: tuple[float, ...], seconds: float
) -> None:
    absences = [Absence(begin=10, end=13), Absence(begin=30, end=33)]

    assert longest_after(absences, told_away) == seconds


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no kernel tells a child of its parent's death")
def test_a_redis_of_a_tests_own_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", _STARTER, str(port), str(tmp_path)]

    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        assert answers(port)
        starter.kill()

    wait_until(lambda: not answers(port), "Redis has ended")


def answers(port: int) -> bool:
    try:
        with Redis(port=port) as client:
            return bool(client.ping())
    except RedisError:
        return False
