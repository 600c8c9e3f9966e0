"""A database that fails ends nobody who works: it is said once, and once that it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.deployment import Deployment, Process
from tests.support.firm import CREATE, Firm
from tests.support.jobs import JobTable
from tests.support.polling import until

FAILURES = {
    "25006": "ReadOnlySQLTransactionError",
    "53100": "DiskFullError",
    "57P05": "IdleSessionTimeoutError",
    "58030": "PostgresIOError",
    "XX000": "InternalServerError",
}
"""What PostgreSQL says of itself, not of a statement: by its code, and as the driver calls it."""

_FAILING = """
CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'as if it were so' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER failing BEFORE {when} EXECUTE FUNCTION failing();
"""


@asynccontextmanager
async def failing(jobs: JobTable, code: str, when: str = "UPDATE ON job") -> AsyncIterator[None]:
    """PostgreSQL answers in this way to whoever looks for jobs that are due, or does something else."""
    await jobs.connection.execute(_FAILING.format(code=code, when=when))
    try:
        yield
    finally:
        await jobs.connection.execute("DROP FUNCTION failing CASCADE")


async def until_said(process: Process, event: str, times: int) -> None:
    async def said() -> bool:
        return process.logged().count(f'"{event}"') == times and process.popen.poll() is None

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
    assert scheduler.logged().count('"scheduler.away"') == len(FAILURES)


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
