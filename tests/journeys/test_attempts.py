"""One job at a time: attempts and pauses, giving up, and a claim that went to another worker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.actors import (
    REASON,
    be_busy,
    break_down,
    cancel_itself,
    claim,
    fail,
    fail_for_good,
    hang,
    runner_of,
)
from tests.support.firm import Firm
from tests.support.jobs import Errand, JobTable, ask_for, calendar
from tests.support.polling import until
from tieline import clock as calendar_clock
from tieline.clients.service import NewClient, create_client, list_clients
from tieline.database import system_scope
from tieline.errors import Busy, ClaimLost
from tieline.principal import Principal
from tieline.work import repository, unit_of_work
from tieline.work.repository import LEASE
from tieline.work.unit import working_on
from tieline.worker import outcomes
from tieline.worker import runner as runner_module
from tieline.worker.runner import MAX_ATTEMPTS


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


async def test_a_failed_job_is_not_tried_before_it_is_due(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_FIRST_PAUSE", timedelta(minutes=1))
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


async def test_what_recurs_is_never_given_up(jobs: JobTable, clock: Any) -> None:
    recurring = replace(fail, recurs=True)
    await ask_for(recurring)
    runner = runner_of(recurring)

    for _ in range(MAX_ATTEMPTS + 2):
        job = await jobs.one()
        await clock(max(job["due_at"] - await calendar(), timedelta(0)))
        await runner.run(job["id"])

    job = await jobs.one()
    assert (job["attempts"], job["error"], job["failed_at"]) == (MAX_ATTEMPTS + 2, REASON, None)


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


async def test_what_passes_by_itself_is_put_off_for_as_long_as_it_takes_and_never_given_up(
    jobs: JobTable, clock: Any
) -> None:
    await ask_for(be_busy)
    runner = runner_of(be_busy)

    for _ in range(MAX_ATTEMPTS + 3):
        job = await jobs.one()
        await clock(max(job["due_at"] - await calendar(), timedelta(0)))
        await runner.run(job["id"])

    job = await jobs.one()
    assert (job["attempts"], job["failed_at"], job["fence"]) == (0, None, MAX_ATTEMPTS + 3)
    assert job["error"] == str(Busy())


async def test_an_actor_that_cancels_itself_has_failed(jobs: JobTable) -> None:
    await ask_for(cancel_itself)
    before = await calendar()

    await runner_of(cancel_itself).run((await jobs.one())["id"])

    job = await jobs.one()
    assert (job["attempts"], job["lease_owner"]) == (1, None)
    assert job["error"].startswith("ActorCancelled: ")
    assert job["due_at"] >= before + timedelta(seconds=3.75), "the first pause, at its shortest"


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
        await repository.finish(stale)
        await repository.put_off(stale, due_at=calendar_clock.now(), attempts=0)
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
