"""One job at a time: attempts and pauses, asking again, and a claim that went to another worker."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.support.firm import Firm
from tests.support.jobs import Errand, JobTable, ask_for, calendar
from tests.support.polling import until
from tieline import clock as calendar_clock
from tieline.clients.service import NewClient, create_client, list_clients
from tieline.database import system_scope
from tieline.errors import ClaimLost, Invalid
from tieline.principal import Principal
from tieline.work import Actor, Again, Lane, actor, repository, unit_of_work
from tieline.work.repository import LEASE, Claim
from tieline.work.unit import working_on
from tieline.worker import runner as runner_module
from tieline.worker.runner import MAX_ATTEMPTS, Runner

REASON = "Invalid: The other side said no."


@actor(lane=Lane.INTERACTIVE)
async def fail() -> None:
    raise Invalid("The other side said no.")


@actor(lane=Lane.INTERACTIVE)
async def break_down() -> None:
    raise LookupError("a row with somebody's name in it")


@actor(lane=Lane.INTERACTIVE, limit=timedelta(milliseconds=10))
async def hang() -> None:
    await asyncio.Event().wait()


def runner_of(*actors: Actor) -> Runner:
    return Runner({each.name: each for each in actors})


async def claim(jobs: JobTable, owner: str) -> Claim:
    job_id = (await jobs.one())["id"]
    async with system_scope():
        claimed = await repository.claim(job_id, owner=owner, at=calendar_clock.now())
    assert claimed is not None
    return claimed


async def fail_for_good(jobs: JobTable, runner: Runner, clock: Any) -> None:
    while (job := await jobs.one())["failed_at"] is None:
        await clock(max(job["due_at"] - await calendar(), timedelta(0)))
        await runner.run(job["id"])


async def test_a_failing_job_is_tried_again_after_growing_pauses(jobs: JobTable, clock: Any) -> None:
    runner = runner_of(fail)
    await ask_for(fail)
    job = await jobs.one()

    for attempt in range(1, MAX_ATTEMPTS):
        before = await calendar()
        await runner.run(job["id"])
        after = await calendar()

        job = await jobs.one()
        pause = min(timedelta(seconds=5) * 2 ** (attempt - 1), timedelta(hours=1))
        assert before + 0.75 * pause <= job["due_at"] <= after + 1.25 * pause
        assert (job["attempts"], job["fence"], job["error"], job["failed_at"]) == (
            attempt,
            attempt,
            REASON,
            None,
        )
        await clock(job["due_at"] - after)


async def test_a_failed_job_is_not_tried_before_it_is_due(jobs: JobTable) -> None:
    await ask_for(fail)
    runner, job_id = runner_of(fail), (await jobs.one())["id"]
    await runner.run(job_id)

    await runner.run(job_id)

    assert (await jobs.one())["attempts"] == 1


async def test_a_job_is_given_up_after_its_last_attempt_with_its_reason_kept(
    jobs: JobTable, clock: Any
) -> None:
    await ask_for(fail)
    runner = runner_of(fail)

    await fail_for_good(jobs, runner, clock)
    await clock(timedelta(days=2))
    given_up = await jobs.one()
    await runner.run(given_up["id"])

    assert (given_up["attempts"], given_up["error"], given_up["lease_owner"]) == (MAX_ATTEMPTS, REASON, None)
    assert await jobs.one() == given_up, "nobody tries it again"


async def test_a_job_that_was_given_up_starts_anew_when_it_is_asked_for_again(
    jobs: JobTable, clock: Any
) -> None:
    await ask_for(fail)
    runner = runner_of(fail)
    await fail_for_good(jobs, runner, clock)

    await ask_for(fail)
    asked_again = await jobs.one()
    await runner.run(asked_again["id"])

    assert (asked_again["attempts"], asked_again["failed_at"]) == (0, None)
    assert ((await jobs.one())["attempts"], (await jobs.one())["failed_at"]) == (1, None)


async def test_of_an_unexpected_error_only_its_class_is_kept(jobs: JobTable) -> None:
    await ask_for(break_down)

    await runner_of(break_down).run((await jobs.one())["id"])

    assert (await jobs.one())["error"] == "LookupError"


async def test_a_job_that_takes_longer_than_its_limit_is_stopped_and_tried_again(jobs: JobTable) -> None:
    await ask_for(hang)

    await runner_of(hang).run((await jobs.one())["id"])

    job = await jobs.one()
    assert (job["error"], job["attempts"], job["lease_owner"]) == ("TimeoutError", 1, None)


async def test_a_job_that_only_a_newer_version_knows_waits_for_it(jobs: JobTable) -> None:
    await ask_for(fail)

    await runner_of(hang).run((await jobs.one())["id"])

    job = await jobs.one()
    assert job["error"].startswith("UnknownActor: This version of Tieline has no actor ")
    assert job["failed_at"] is None


async def test_a_keyed_job_asked_for_many_times_at_once_is_one_row(jobs: JobTable) -> None:
    await asyncio.gather(*(ask_for(fail) for _ in range(40)))

    job = await jobs.one()

    assert (job["requests"], job["attempts"]) == (40, 0)


async def test_the_same_key_in_two_practices_is_two_jobs(
    jobs: JobTable, firm: Firm, other_firm: Firm
) -> None:
    for practice_id in (firm.practice_id, other_firm.practice_id, firm.practice_id):
        async with unit_of_work(Principal.machine(practice_id)) as work:
            work.enqueue(fail, key="test")

    rows = {job["practice_id"]: job["requests"] for job in await jobs.all()}

    assert rows == {firm.practice_id: 2, other_firm.practice_id: 1}


async def test_several_keys_asked_for_in_opposite_orders_at_once_do_not_block_each_other(
    jobs: JobTable,
) -> None:
    actors = [fail, break_down, hang]

    await asyncio.gather(*(ask_for(*(actors if turn % 2 else actors[::-1])) for turn in range(60)))

    assert [job["requests"] for job in await jobs.all()] == [60, 60, 60]


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


async def test_a_stale_worker_changes_nothing_and_its_units_of_work_are_rolled_back(
    jobs: JobTable, firm: Firm
) -> None:
    principal = Principal.machine(firm.practice_id)
    async with unit_of_work(principal) as work:
        work.enqueue(fail, key="test")
    stale = await claim(jobs, "first")
    await jobs.lapse(LEASE)
    fresh = await claim(jobs, "second")
    held = await jobs.one()

    with working_on(stale), pytest.raises(ClaimLost):
        await create_client(principal, NewClient(name="By the stale one"))
    async with system_scope():
        assert not await repository.renew(stale)
        await repository.finish(stale, at=calendar_clock.now())
        await repository.put_off(stale, due_at=calendar_clock.now())
        await repository.give_up(stale, at=calendar_clock.now(), error="stale")
    untouched = await jobs.one()
    with working_on(fresh):
        await create_client(principal, NewClient(name="By the one that holds it"))

    assert fresh.fence == stale.fence + 1
    assert untouched == held
    page = await list_clients(principal)
    assert [client.name for client in page.rows] == ["By the one that holds it"]


async def test_a_lease_is_renewed_for_as_long_as_the_job_runs(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "HEARTBEAT", timedelta(milliseconds=10))
    errand = Errand()
    await ask_for(errand.actor)

    running = asyncio.create_task(runner_of(errand.actor).run((await jobs.one())["id"]))
    await errand.begun.wait()
    first = (await jobs.one())["lease_until"]
    await until(lambda: _later(jobs, first), "the lease was pushed on")
    errand.may_end.set()
    await running

    assert await jobs.all() == []


async def test_a_worker_that_lost_its_job_to_another_stops_working_on_it(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "HEARTBEAT", timedelta(milliseconds=50))
    errand = Errand()
    await ask_for(errand.actor)
    running = asyncio.create_task(runner_of(errand.actor).run((await jobs.one())["id"]))
    await errand.begun.wait()

    await jobs.connection.execute("UPDATE job SET lease_owner = 'thief', fence = fence + 1")
    await running

    job = await jobs.one()
    assert (job["lease_owner"], job["fence"], job["error"]) == ("thief", 2, None)
    assert not errand.may_end.is_set(), "it was stopped in the middle"


async def _later(jobs: JobTable, instant: Any) -> bool:
    return bool((await jobs.one())["lease_until"] > instant)
