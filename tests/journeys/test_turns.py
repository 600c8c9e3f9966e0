"""Whose job is next: practices take turns, whoever waited goes ahead, and people's jobs come first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import httpx
import pytest

from tests.support.actors import runner_of
from tests.support.deployment import Deployment, Process
from tests.support.dispatches import Dispatch, Dispatches, dispatches_of
from tests.support.firm import Firm, open_firm
from tests.support.jobs import Errand, JobTable, ask_for, calendar, enqueue_pruning, pruning_blocked
from tests.support.plans import explained, handled, sent_by
from tests.support.polling import until
from tieline import clock as calendar_clock
from tieline.database import system_scope
from tieline.ids import PracticeId, new_id
from tieline.principal import Principal
from tieline.sync.actors import work_run
from tieline.work import Lane, actor, repository, system_work, unit_of_work
from tieline.work.doorbell import MAX_CALLS, Doorbell, make_broker
from tieline.worker import runner as runner_module
from tieline.worker.runner import Runner
from tieline.worker.scheduler import ring_for_due

THREADS = 4
Start = Callable[..., Process]


@actor(lane=Lane.BACKGROUND)
async def do_nothing() -> None:
    pass


@pytest.fixture
async def dispatches(opened: Deployment, jobs: JobTable) -> AsyncIterator[Dispatches]:  # noqa: ARG001 - no other jobs
    async with dispatches_of(opened) as record:
        yield record


@pytest.fixture
def work(deployment: Deployment) -> Iterator[Start]:
    """Starts a worker with so many threads; it is killed at the test's end."""
    started: list[Process] = []

    def run(*arguments: str, threads: int = THREADS) -> Process:
        started.append(deployment.start("worker", *arguments, TIELINE_WORKER_THREADS=str(threads)))
        started[-1].wait_for("worker.started")
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.assert_unbroken()


async def test_ten_jobs_of_small_practices_come_next_although_another_has_thousands_waiting(
    jobs: JobTable, dispatches: Dispatches, work: Start, http: httpx.AsyncClient
) -> None:
    large, *small = [(await open_firm(http)).practice_id for _ in range(3)]
    for _ in range(5):
        await queue_runs(large, 1_000)
    assert jobs.rings() <= MAX_CALLS
    for _ in range(2):
        work("--queues", "background")
    await until_dispatched(dispatches, 40)

    for practice_id in small:
        await queue_runs(practice_id, 10, due_at=await calendar() + timedelta(hours=1))
    before = await come_due(jobs, dispatches, small)
    await until(lambda: none_left(jobs, small), "the small practices' jobs are done")

    taken = await dispatches.all()
    places = {practice_id: places_of(practice_id, taken[before:]) for practice_id in small}
    # At that very moment each thread may have been about to take one of the large practice's.
    assert {practice_id: len(found) for practice_id, found in places.items()} == dict.fromkeys(small, 10)
    assert max(place for found in places.values() for place in found) < 20 + 2 * THREADS
    assert [count for count in Counter(each.job_id for each in taken).values() if count > 1] == []
    assert not await none_left(jobs, [large]), "the large practice still waits"


async def test_practices_with_much_to_do_take_turns_once_the_one_that_waited_has_caught_up(
    dispatches: Dispatches, firm: Firm, other_firm: Firm
) -> None:
    first, second = firm.practice_id, other_firm.practice_id
    runner = runner_of(do_nothing)
    await queue(first, 100)
    await run_next(runner, 40)
    await queue(second, 100)

    await run_next(runner, 60)

    taken = [each.practice_id for each in await dispatches.all()]
    assert taken[:40] == [first] * 40
    assert taken[40:60] == [second] * 20
    assert set(taken[62:]) == {first, second}
    assert all(one != other for one, other in pairwise(taken[62:]))


async def test_jobs_without_a_practice_are_one_line_more(dispatches: Dispatches, firm: Firm) -> None:
    runner = runner_of(do_nothing)
    async with system_work() as work:
        for _ in range(100):
            work.enqueue(do_nothing)
    await run_next(runner, 30)
    await queue(firm.practice_id, 100)

    await run_next(runner, 50)

    taken = [each.practice_id for each in await dispatches.all()]
    assert taken[:30] == [None] * 30
    assert taken[30:50] == [firm.practice_id] * 20
    assert set(taken[52:]) == {None, firm.practice_id}
    assert all(one != other for one, other in pairwise(taken[52:]))


async def test_every_fourth_turn_of_a_practice_is_its_first_syncs(dispatches: Dispatches, firm: Firm) -> None:
    await queue(firm.practice_id, 20, lane=Lane.FIRST)
    await queue(firm.practice_id, 9)

    await run_next(runner_of(do_nothing), 16)

    lanes = [each.lane for each in await dispatches.all()]
    assert Counter(lanes[1:9]) == {Lane.BACKGROUND: 6, Lane.FIRST: 2}
    assert set(lanes[13:]) == {Lane.FIRST}


async def test_a_job_that_a_person_waits_for_goes_before_all_that_a_worker_has_heard_of(
    opened: Deployment, jobs: JobTable, dispatches: Dispatches, work: Start, firm: Firm
) -> None:
    async with pruning_blocked(opened):
        work(threads=1)
        await enqueue_pruning()
        await until_dispatched(dispatches, 1)
        await until(lambda: all_heard(jobs, "background"), "the call that was passed on waits in the worker")
        await queue_runs(firm.practice_id, 20)
        await queue_runs(firm.practice_id, 1, lane=Lane.INTERACTIVE)
        await until(lambda: all_heard(jobs, "interactive"), "the ring has come to the worker")

    await until_dispatched(dispatches, 3)
    assert (await dispatches.all())[1].lane == Lane.INTERACTIVE


async def test_a_job_that_somebody_comes_to_wait_for_while_it_runs_is_rung_for_as_theirs(
    jobs: JobTable,
) -> None:
    errand = Errand()
    background = actor(lane=Lane.BACKGROUND)(errand.run)
    await ask_for(background)
    jobs.redis.flushdb()

    running = asyncio.create_task(runner_of(background).run_next())
    await errand.begun.wait()
    async with system_work() as work:
        work.enqueue(background, key="test", lane=Lane.INTERACTIVE)
    jobs.redis.flushdb()
    errand.may_end.set()
    await running

    assert jobs.rings("interactive") == 1
    assert jobs.rung_for() == {str((await jobs.one())["id"])}


async def test_calls_are_bounded_however_much_is_queued_and_due(
    jobs: JobTable, opened: Deployment, firm: Firm
) -> None:
    await queue(firm.practice_id, 3 * MAX_CALLS)
    await queue(firm.practice_id, 1)
    at_commit = jobs.rings()
    jobs.redis.flushdb()

    with closing(Doorbell(make_broker(opened.settings))) as bell:
        called = [await ring_for_due(bell) for _ in range(3)]

    assert at_commit == MAX_CALLS
    assert called == [MAX_CALLS, 0, 0]
    assert jobs.rings() == MAX_CALLS


async def test_a_call_that_found_a_job_is_passed_on_and_one_that_found_none_is_not(jobs: JobTable) -> None:
    await ask_for(do_nothing)
    jobs.redis.flushdb()
    runner = runner_of(do_nothing)

    await runner.run_next()
    passed_on = jobs.rings()
    await runner.run_next()

    assert passed_on == jobs.rings() == 1


async def test_whoever_hears_a_call_runs_one_job_after_another_for_a_moment(
    jobs: JobTable, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "STAY", timedelta(minutes=1))
    await queue(firm.practice_id, 5)
    jobs.redis.flushdb()

    await run_next(runner_of(do_nothing), 1)
    left = await jobs.connection.fetchval("SELECT count(*) FROM job")
    await runner_of(do_nothing).run_next()

    assert left == 4
    assert await jobs.connection.fetchval("SELECT count(*) FROM job") == 0
    assert jobs.rings() == 2


async def test_what_is_claimed_failed_or_not_due_yet_is_called_for_by_nobody(
    jobs: JobTable, opened: Deployment
) -> None:
    later = await calendar() + timedelta(hours=1)
    async with system_work() as work:
        work.enqueue(do_nothing, key="claimed")
        work.enqueue(do_nothing, key="failed")
        work.enqueue(do_nothing, key="later", due_at=later)
    await jobs.connection.execute(
        "UPDATE job SET failed_at = now(), error = 'over' WHERE key LIKE '%:failed'"
    )
    async with system_scope():
        held = await repository.claim_next(owner="somebody", at=calendar_clock.now())
        nothing = await repository.claim_next(owner="somebody", at=calendar_clock.now())
    jobs.redis.flushdb()

    assert held is not None
    assert nothing is None
    with closing(Doorbell(make_broker(opened.settings))) as bell:
        assert await ring_for_due(bell) == 0


async def test_a_claim_and_a_look_read_a_handful_of_rows_of_fifty_thousand_that_are_due(
    jobs: JobTable, firm: Firm, other_firm: Firm
) -> None:
    await jobs.connection.execute("ANALYZE job")  # as a table that is nearly empty
    for practice_id, lane in ((firm.practice_id, "FIRST"), (other_firm.practice_id, "BACKGROUND")):
        await jobs.connection.execute(
            "INSERT INTO job (id, practice_id, actor, arguments, lane, due_at, created_at, correlation_id) "
            "SELECT gen_random_uuid(), $1, 'nobody.knows', '{}', $2, now() - n * interval '1 ms', now(), 'test' "
            "  FROM generate_series(1, 25000) AS n",
            practice_id,
            lane,
        )

    for analyzed in (False, True):
        if analyzed:
            await jobs.connection.execute("ANALYZE job")
        for call in (claim_next, look, ring):
            nodes = await explained(None, await sent_by(call))
            read = [node for node in nodes if node.get("Relation Name") == "job"]
            assert read
            assert sum(map(handled, read)) <= 2 * MAX_CALLS, (call.__name__, analyzed)


async def claim_next() -> None:
    async with system_scope():
        await repository.claim_next(owner="test", at=calendar_clock.now())


async def look() -> None:
    async with system_scope():
        await repository.waiting(at=calendar_clock.now(), limit=MAX_CALLS)


async def ring() -> None:
    async with system_scope():
        await repository.take_due(at=calendar_clock.now(), rung_before=timedelta(seconds=2), limit=500)


async def queue(practice_id: PracticeId, count: int, *, lane: Lane | None = None) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        for _ in range(count):
            work.enqueue(do_nothing, lane=lane)


async def queue_runs(
    practice_id: PracticeId, count: int, *, lane: Lane | None = None, due_at: datetime | None = None
) -> None:
    """Jobs of syncs that are long over: each looks for its run, and is done."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        for _ in range(count):
            work.enqueue(
                work_run, lane=lane, due_at=due_at, practice_id=str(practice_id), run_id=str(new_id())
            )


async def run_next(runner: Runner, times: int) -> None:
    """Hear so many calls, and run a job for each."""
    for _ in range(times):
        await runner.run_next(urged=lambda: True)


def places_of(practice_id: UUID, taken: list[Dispatch]) -> list[int]:
    return [place for place, each in enumerate(taken) if each.practice_id == practice_id]


async def until_dispatched(dispatches: Dispatches, count: int) -> None:
    async def as_many() -> bool:
        return await dispatches.count() >= count

    await until(as_many, f"{count} jobs were claimed")


async def come_due(jobs: JobTable, dispatches: Dispatches, practices: list[PracticeId]) -> int:
    """All jobs of these practices are due from one moment on; how many of all were claimed before it."""
    async with jobs.connection.transaction():
        await jobs.connection.execute("LOCK TABLE job IN SHARE ROW EXCLUSIVE MODE")  # nobody claims any
        before = await dispatches.count()
        await jobs.connection.execute(
            "UPDATE job SET due_at = created_at WHERE practice_id = ANY ($1::uuid[])", practices
        )
    return before


async def none_left(jobs: JobTable, practices: list[PracticeId]) -> bool:
    return not await jobs.connection.fetchval(
        "SELECT count(*) FROM job WHERE practice_id = ANY($1::uuid[])", practices
    )


async def all_heard(jobs: JobTable, queue_name: str) -> bool:
    return jobs.rings(queue_name) == 0
