"""The figures at `/metrics` that alerts rest on tell the truth: of jobs that wait, run or were given up; of answers."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import asyncpg

from tests.support.actors import claim, fail, fail_for_good, runner_of
from tests.support.counted import exposed, figure
from tests.support.deployment import Deployment, Gateway
from tests.support.firm import CREATE, Firm
from tests.support.jobs import JobTable, enqueue_pruning
from tests.support.polling import until
from tieline.database import system_scope
from tieline.work import Lane, repository, system_work

LAG, JOBS = "tieline_job_lag_seconds", "tieline_jobs"
ANSWERED = "tieline_http_request_seconds"
STATES = ("due", "running", "failed")
AN_HOUR = timedelta(hours=1)
_WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE '%client%' AND pid <> pg_backend_pid()
"""


async def of_lane(gateway: Gateway, lane: Lane) -> tuple[float, list[int]]:
    """Its lag, and how many of its jobs are due, run, and were given up."""
    figures = await exposed(gateway.url)
    counts = [figures[JOBS, (("lane", lane.value), ("state", state))] for state in STATES]
    return figures[LAG, (("lane", lane.value),)], [int(count) for count in counts]


async def test_a_job_has_its_lag_from_when_it_is_due_until_somebody_takes_it(
    gateway: Gateway, jobs: JobTable, clock: Any
) -> None:
    began = time.monotonic()
    await enqueue_pruning()
    await jobs.connection.execute("UPDATE job SET due_at = due_at + interval '10 minutes'")

    not_due = await of_lane(gateway, Lane.BACKGROUND)
    await clock(AN_HOUR)
    due, other = await of_lane(gateway, Lane.BACKGROUND), await of_lane(gateway, Lane.INTERACTIVE)
    held = await claim(jobs, "a worker")
    running = await of_lane(gateway, Lane.BACKGROUND)
    await jobs.lapse()
    lapsed = await of_lane(gateway, Lane.BACKGROUND)
    async with system_scope():
        await repository.finish(held)
    over = await of_lane(gateway, Lane.BACKGROUND)

    assert (not_due, running) == ((0.0, [0, 0, 0]), (0.0, [0, 1, 0]))
    lag = timedelta(minutes=50).total_seconds()
    assert due[1] == lapsed[1] == [1, 0, 0]
    assert lag <= due[0] <= lapsed[0] <= lag + time.monotonic() - began
    assert other == over == (0.0, [0, 0, 0])


async def test_a_job_that_was_given_up_is_counted_and_lags_no_more(
    gateway: Gateway, jobs: JobTable, clock: Any
) -> None:
    async with system_work() as work:
        work.enqueue(fail, key="test")
    waiting = await of_lane(gateway, fail.lane)

    await fail_for_good(jobs, runner_of(fail), clock)
    await clock(AN_HOUR)
    given_up = await of_lane(gateway, fail.lane)

    assert waiting[1] == [1, 0, 0]
    assert given_up == (0.0, [0, 0, 1])


async def test_the_time_to_answer_is_what_a_caller_waits(
    gateway: Gateway, firm: Firm, opened: Deployment, sql: asyncpg.Connection
) -> None:
    connection = await opened.connect()
    before = await answered(gateway)

    async with connection.transaction():
        await connection.execute("LOCK TABLE client IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        asking = asyncio.create_task(firm.admin.ask(CREATE, input={"name": "Waited For"}))

        async def is_waiting() -> bool:
            return bool(await sql.fetchval(_WAITING))

        await until(is_waiting, "the request waits for the lock")
        seen = time.monotonic()
        meanwhile = await answered(gateway)
        held = time.monotonic() - seen
    await asking
    await connection.close()

    count, seconds = await answered(gateway)
    waited = time.monotonic() - began  # it may be counted a moment after the caller has it
    assert meanwhile == before, "it is counted when it is answered"
    assert count == before[0] + 1
    assert held <= seconds - before[1] <= waited


async def answered(gateway: Gateway) -> tuple[float, float]:
    """How many requests to the API were answered, and for how long all of them took."""
    parts = [await figure(gateway.url, f"{ANSWERED}_{part}", route="/graphql") for part in ("count", "sum")]
    count, seconds = (part or 0.0 for part in parts)
    return count, seconds
