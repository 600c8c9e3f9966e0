"""A keyed job that is asked for again: one row, and no request is lost, whatever the worker does meanwhile."""

from __future__ import annotations

import asyncio
import contextvars
from datetime import timedelta

import pytest

from tests.support.actors import REASON, break_down, claim, fail, hang, runner_of
from tests.support.firm import Firm
from tests.support.jobs import Errand, JobTable, ask_for, calendar
from tests.support.locks import until_blocked
from tieline.database import system_scope
from tieline.errors import Invalid
from tieline.principal import Principal
from tieline.work import Again, Lane, actor, repository, system_work, unit_of_work
from tieline.worker.runner import MAX_ATTEMPTS


async def test_a_keyed_job_asked_for_many_times_at_once_is_one_row(jobs: JobTable) -> None:
    await asyncio.gather(*(ask_for(fail) for _ in range(40)))

    job = await jobs.one()

    assert (job["attempts"], job["again_at"]) == (0, None)


async def test_the_same_key_in_two_practices_is_two_jobs(
    jobs: JobTable, firm: Firm, other_firm: Firm
) -> None:
    for practice_id in (firm.practice_id, other_firm.practice_id, firm.practice_id):
        async with unit_of_work(Principal.machine(practice_id)) as work:
            work.enqueue(fail, key="test")

    practices = sorted(job["practice_id"] for job in await jobs.all())

    assert practices == sorted([firm.practice_id, other_firm.practice_id])


async def test_several_keys_asked_for_in_opposite_orders_at_once_do_not_block_each_other(
    jobs: JobTable,
) -> None:
    actors = [fail, break_down, hang]

    await asyncio.gather(*(ask_for(*(actors if turn % 2 else actors[::-1])) for turn in range(60)))

    assert len(await jobs.all()) == 3


@pytest.mark.parametrize("tomorrow", [False, True], ids=["over", "again tomorrow"])
async def test_a_job_asked_for_while_it_runs_runs_once_more(jobs: JobTable, *, tomorrow: bool) -> None:
    answers = Again(await calendar() + timedelta(days=1)) if tomorrow else None
    errand = Errand(answers)
    runner = runner_of(errand.actor)
    await ask_for(errand.actor)
    job_id = (await jobs.one())["id"]

    running = asyncio.create_task(runner.run(job_id))
    await errand.begun.wait()
    await ask_for(errand.actor)
    await ask_for(errand.actor)
    errand.may_end.set()
    await running
    for _ in range(3):
        await runner.run(job_id)

    assert errand.runs == 2
    left = await jobs.all()
    assert [job["due_at"] for job in left] == ([answers.at] if answers else [])


async def test_a_job_asked_for_during_its_last_attempt_is_not_given_up(jobs: JobTable) -> None:
    errand = Errand()

    async def fail_late() -> None:
        await errand.run()
        raise Invalid("The other side said no.")

    failing = actor(lane=Lane.INTERACTIVE)(fail_late)
    runner = runner_of(failing)
    await ask_for(failing)
    job_id = (await jobs.one())["id"]
    await jobs.connection.execute("UPDATE job SET attempts = $1", MAX_ATTEMPTS - 1)

    running = asyncio.create_task(runner.run(job_id))
    await errand.begun.wait()
    await ask_for(failing)
    errand.may_end.set()
    await running

    job = await jobs.one()
    assert (job["failed_at"], job["attempts"], job["error"]) == (None, 0, REASON)
    assert job["due_at"] <= await calendar()


async def test_a_request_that_commits_while_the_job_is_being_finished_is_not_lost(jobs: JobTable) -> None:
    await ask_for(fail)
    held = await claim(jobs, "worker")

    async def finish() -> None:
        async with system_scope():
            await repository.finish(held)

    async with system_work() as work:
        work.enqueue(fail, key="test")
        await work.flush()
        finishing = asyncio.create_task(finish(), context=contextvars.Context())
        await until_blocked(jobs.connection, "somebody waits for the row")
    await finishing

    job = await jobs.one()
    assert (job["lease_owner"], job["again_at"]) == (None, None)
    assert job["due_at"] <= await calendar()


async def test_of_two_requests_for_one_key_the_earlier_due_time_holds(jobs: JobTable) -> None:
    later = await calendar() + timedelta(days=1)

    async with system_work() as work:
        work.enqueue(fail, key="test")
        work.enqueue(fail, key="test", due_at=later)
    async with system_work() as work:
        work.enqueue(fail, key="test", due_at=later)

    assert (await jobs.one())["due_at"] <= await calendar()


async def test_a_request_for_later_made_while_the_job_runs_is_due_then(jobs: JobTable) -> None:
    errand = Errand()
    runner = runner_of(errand.actor)
    await ask_for(errand.actor)
    job_id = (await jobs.one())["id"]
    later = await calendar() + timedelta(hours=3)

    running = asyncio.create_task(runner.run(job_id))
    await errand.begun.wait()
    async with system_work() as work:
        work.enqueue(errand.actor, key="test", due_at=later)
    errand.may_end.set()
    await running

    assert (await jobs.one())["due_at"] == later


async def test_a_job_that_was_given_up_and_is_asked_for_later_is_due_later(jobs: JobTable) -> None:
    await ask_for(fail)
    await jobs.connection.execute("UPDATE job SET failed_at = now(), error = 'over'")
    later = await calendar() + timedelta(hours=1)

    async with system_work() as work:
        work.enqueue(fail, key="test", due_at=later)

    job = await jobs.one()
    assert (job["due_at"], job["failed_at"], job["error"]) == (later, None, None)


async def test_a_request_made_during_a_run_that_failed_outlives_the_next_request(jobs: JobTable) -> None:
    await ask_for(fail)
    now = await calendar()
    held = await claim(jobs, "worker")
    for hours in (1, 2):
        async with system_work() as work:
            work.enqueue(fail, key="test", due_at=now + timedelta(hours=hours))
        if hours == 1:
            async with system_scope():
                await repository.put_off(held, due_at=now + timedelta(seconds=5), attempts=1, error="once")

    job = await jobs.one()
    assert (job["due_at"], job["again_at"]) == (now + timedelta(seconds=5), now + timedelta(hours=1))
