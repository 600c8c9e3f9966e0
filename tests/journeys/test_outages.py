"""A database that fails and a Redis that is away end nobody who works: each says so once, and once that it is back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.support.actors import be_busy, runner_of
from tests.support.deployment import Deployment, Process
from tests.support.firm import CREATE, Firm
from tests.support.jobs import JobTable, ask_for, enqueue_pruning
from tests.support.own_redis import OwnRedis, running_redis
from tests.support.patience import with_redis
from tests.support.polling import until
from tests.support.sockets import reset
from tieline.errors import Busy
from tieline.events.actors import prune_events
from tieline.work import doorbell
from tieline.worker import scheduler as scheduler_module

FAILURES = {
    "25006": "ReadOnlySQLTransactionError",
    "53100": "DiskFullError",
    "53200": "OutOfMemoryError",
    "57P05": "IdleSessionTimeoutError",
    "58030": "PostgresIOError",
    "XX000": "InternalServerError",
}
"""What PostgreSQL says of itself, not of a statement: by its code, and as the driver calls it."""

_FAILING = """
CREATE SEQUENCE tried;
GRANT ALL ON SEQUENCE tried TO PUBLIC;
CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM nextval('tried'); RAISE EXCEPTION 'as if it were so' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER failing BEFORE {when} EXECUTE FUNCTION failing();
"""
_TRIES, _OUTCOMES = 40, 2
SOON_AGAIN = 0.5
_LIBRARY = ("Consumer", "Failed to", "Unhandled")
"""How the library begins what it says of a Redis that is away."""


@asynccontextmanager
async def failing(jobs: JobTable, code: str, when: str = "UPDATE ON job") -> AsyncIterator[None]:
    """PostgreSQL answers in this way to whoever looks for jobs that are due, or does something else."""
    await jobs.connection.execute(_FAILING.format(code=code, when=when))
    try:
        yield
    finally:
        await jobs.connection.execute("DROP FUNCTION failing CASCADE; DROP SEQUENCE tried")


async def fail_with(jobs: JobTable, code: str) -> None:
    """From here on it fails in this way."""
    body = _FAILING.partition("CREATE FUNCTION")[2].partition("CREATE TRIGGER")[0]
    await jobs.connection.execute(f"CREATE OR REPLACE FUNCTION {body.format(code=code)}")


async def until_said(process: Process, event: str, times: int) -> None:
    async def said() -> bool:
        return process.logged().count(f'"{event}"') >= times and process.popen.poll() is None

    await until(said, f"{event} is said {times} times")


async def test_a_scheduler_goes_on_after_whatever_a_database_fails_with(
    jobs: JobTable, start: Callable[..., Process]
) -> None:
    scheduler = start("scheduler")

    for number, (code, cause) in enumerate(FAILURES.items(), start=1):
        async with failing(jobs, code):
            await until_said(scheduler, "scheduler.away", number)
            assert f'"{cause}"' in scheduler.logged(), code
        await until_said(scheduler, "scheduler.back", number)

    assert scheduler.stop() == 0
    said = [scheduler.logged().count(f'"scheduler.{word}"') for word in ("away", "back")]
    assert said == [len(FAILURES)] * 2


def saying_again_soon() -> None:
    patch.object(scheduler_module, "SAY_AGAIN", timedelta(seconds=SOON_AGAIN)).start()


async def test_a_scheduler_says_again_that_a_database_fails_when_it_does_so_otherwise_and_while_it_lasts(
    jobs: JobTable, start: Callable[..., Process]
) -> None:
    scheduler = start("scheduler")
    async with failing(jobs, "53100"):
        await until_said(scheduler, "scheduler.away", 1)
        await fail_with(jobs, "XX001")
        await until_said(scheduler, "scheduler.away", 2)
        await fail_with(jobs, "XX002")
        await until_said(scheduler, "scheduler.away", 3)
    await until_said(scheduler, "scheduler.back", 1)

    hasty = start("scheduler", prepare=saying_again_soon)
    async with failing(jobs, "XX002"):
        await until_said(hasty, "scheduler.away", 3)

    told = [json.loads(line) for line in scheduler.logged().splitlines() if '"scheduler.away"' in line]
    causes = [each["cause"] for each in told]
    assert causes[:3] == ["DiskFullError", "DataCorruptedError", "IndexCorruptedError"]
    again = [json.loads(line) for line in hasty.logged().splitlines() if '"scheduler.away"' in line]
    assert {each["cause"] for each in again} == {"IndexCorruptedError"}


async def test_a_scheduler_whose_own_statement_is_wrong_ends(jobs: JobTable, opened: Deployment) -> None:
    async with failing(jobs, "42601"):
        scheduler = opened.start("scheduler")
        try:
            assert await asyncio.to_thread(scheduler.popen.wait, 30) == 1
        finally:
            scheduler.kill()

    assert "PostgresSyntaxError" in scheduler.logged()
    assert "scheduler.away" not in scheduler.logged()


@pytest.mark.parametrize("code", [code for code in FAILURES if code != "XX000"])
async def test_people_are_told_that_a_database_which_may_not_write_is_away(
    jobs: JobTable, firm: Firm, code: str
) -> None:
    async with failing(jobs, code, "INSERT ON client"):
        answer = await firm.admin.post(CREATE, input={"name": "Not now"})
    await firm.admin.create_client("Now")

    assert answer.status_code == 200
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAVAILABLE"]


async def test_an_outcome_is_written_once_the_database_is_back_and_the_outage_counts_as_no_attempt(
    jobs: JobTable,
) -> None:
    await ask_for(be_busy)
    before = await jobs.one()

    async with failing(jobs, "53100", "UPDATE ON job FOR EACH ROW WHEN (NEW.lease_owner IS NULL)"):
        running = asyncio.create_task(runner_of(be_busy).run(before["id"]))

        async def tried() -> bool:
            return int(await jobs.connection.fetchval("SELECT last_value FROM tried")) >= _OUTCOMES

        await until(tried, "the outcome was to be written again and again")
    await running

    after = await jobs.one()
    assert (after["attempts"], after["lease_owner"], after["error"]) == (0, None, str(Busy()))


@pytest.mark.parametrize(
    ("code", "attempts"), [("53200", 1), ("53400", 1), ("58P01", 1), ("53100", 0), ("53300", 0), ("25006", 0)]
)
async def test_a_database_that_fails_at_one_thing_counts_as_an_attempt_and_one_that_is_away_does_not(
    jobs: JobTable, code: str, attempts: int
) -> None:
    await enqueue_pruning()
    before = await jobs.one()

    async with failing(jobs, code, "DELETE ON event"):
        await runner_of(prune_events).run(before["id"])

    after = await jobs.one()
    assert (after["attempts"], after["lease_owner"]) == (attempts, None)
    assert after["due_at"] > before["due_at"]


def asking_soon_again() -> None:
    patch.object(doorbell, "_QUIET_SECONDS", 0.1).start()
    with_redis()


@pytest.fixture
def own(deployment: Deployment, tmp_path: Path) -> Iterator[OwnRedis]:
    with running_redis(deployment, tmp_path) as made:
        yield made


@asynccontextmanager
async def hanging_up(port: int, tries: Counter[str]) -> AsyncIterator[None]:
    """Whoever comes to this port is counted and hung up on."""

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries["connections"] += 1
        reset(writer.transport)

    server = await asyncio.start_server(hang_up, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def test_worker_and_scheduler_say_once_that_redis_went_and_once_that_it_is_back(
    own: OwnRedis, jobs: JobTable, start: Callable[..., Process]
) -> None:
    there, tries = {"TIELINE_REDIS_URL": own.url}, Counter[str]()
    worker = start("worker", prepare=asking_soon_again, **there)
    scheduler = start("scheduler", prepare=asking_soon_again, **there)
    await asyncio.to_thread(worker.wait_for, "job.done")
    await jobs.rest_daily()

    own.kill()
    async with hanging_up(own.port, tries):

        async def tried() -> bool:
            return tries["connections"] >= _TRIES

        await until(tried, "both have looked for Redis again and again")
    own.start()
    await until_said(worker, "worker.back", 1)
    await until_said(scheduler, "doorbell.back", 1)
    await enqueue_pruning()
    await jobs.wait_until_over()

    assert (worker.stop(), scheduler.stop()) == (0, 0)
    told = worker.logged()
    assert told.count('"worker.away"') == 1
    assert [line for line in told.splitlines() if any(f'"event": "{word}' in line for word in _LIBRARY)] == []
    assert told.count('"worker.back"') == 1
    assert [scheduler.logged().count(f'"doorbell.{word}"') for word in ("away", "back")] == [1, 1]
