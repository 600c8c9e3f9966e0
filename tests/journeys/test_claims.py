"""Claims when something stands still: a claim that does not end, a cancellation that is lost, a worker that stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta

import httpx
import pytest

from tests.support.actors import runner_of
from tests.support.deployment import Deployment
from tests.support.firm import open_firm
from tests.support.jobs import JobTable, ask_for
from tests.support.locks import until_blocked
from tests.support.polling import WAIT_SECONDS
from tieline import clock as calendar_clock
from tieline.database import system_scope
from tieline.ids import PracticeId
from tieline.principal import Principal
from tieline.work import Lane, actor, repository, unit_of_work
from tieline.work.actor import BACKGROUND
from tieline.work.doorbell import Doorbell, make_broker
from tieline.worker import outcomes, process
from tieline.worker import runner as runner_module
from tieline.worker.runner import Runner


@actor(lane=Lane.BACKGROUND)
async def do_nothing() -> None:
    pass


@asynccontextmanager
async def unended_claim() -> AsyncIterator[None]:
    """Somebody claims the job whose turn it is, and does not commit until the block ends."""
    claimed, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with system_scope():
            await repository.claim_next(owner="stuck", at=calendar_clock.now())
            claimed.set()
            await may_end.wait()

    holding = asyncio.create_task(hold())
    await claimed.wait()
    try:
        yield
    finally:
        may_end.set()
        await holding


async def test_a_claim_that_does_not_end_stops_nobody_and_the_others_come_to_their_turns(
    jobs: JobTable, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_MOMENT", "5ms")
    large, *small = [(await open_firm(http)).practice_id for _ in range(3)]
    runner = runner_of(do_nothing)
    await queue(large, 61)

    async with unended_claim(), asyncio.timeout(WAIT_SECONDS):
        for practice_id in small:
            await queue(practice_id, 3)
        for _ in range(60):
            await runner.run_next(urged=lambda: True)

        assert [await left(jobs, practice_id) for practice_id in small] == [0, 0]
        assert await left(jobs, large) == 61 - (60 - 6)


async def test_a_job_whose_cancellation_is_lost_is_handed_back_all_the_same(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "CANCEL_AGAIN", timedelta(milliseconds=10))
    begun = asyncio.Event()

    async def go_on_once() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    errand = actor(lane=Lane.BACKGROUND)(go_on_once)
    await ask_for(errand)
    runner = runner_of(errand)
    running = asyncio.create_task(runner.run_next(urged=lambda: True))
    await begun.wait()

    async with asyncio.timeout(WAIT_SECONDS):
        await runner.hand_back()
        await running

    job = await jobs.one()
    assert (job["lease_owner"], job["attempts"], job["error"]) == (None, 0, None)


async def test_what_became_of_a_job_is_still_written_when_its_worker_is_told_to_stop_amid_that(
    opened: Deployment, jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_LEAVE", timedelta(seconds=30))
    holder = await opened.connect()

    async def end_while_the_row_is_held() -> None:
        await holder.execute("BEGIN")
        await holder.execute("SELECT FROM job FOR UPDATE")

    errand = actor(lane=Lane.BACKGROUND)(end_while_the_row_is_held)
    await ask_for(errand)
    runner = runner_of(errand)
    running = asyncio.create_task(runner.run_next(urged=lambda: True))
    await until_blocked(jobs.connection, "the outcome is being written")

    stopping = asyncio.create_task(runner.hand_back())
    await asyncio.sleep(0)
    await holder.execute("COMMIT")
    await asyncio.gather(stopping, running)
    await holder.close()

    assert await jobs.all() == []


async def test_who_runs_jobs_of_the_background_is_urged_to_leave_off_once_its_worker_is_told_to_stop(
    opened: Deployment, jobs: JobTable
) -> None:
    jobs.redis.flushdb()
    stop = threading.Event()
    heard = Heard(stop)
    with process._loop():
        worker = process.start_worker(opened.settings, heard, [BACKGROUND], stop=stop)
        with closing(Doorbell(make_broker(opened.settings))) as bell:
            await bell.call()
        await asyncio.to_thread(heard.over.wait, WAIT_SECONDS)
        worker.stop()
        worker.broker.close()

    assert heard.urged == [False, True]


class Heard(Runner):
    """Hears one call, in the midst of which its worker is told to stop: whether it was urged before and after."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__({})
        self.over = threading.Event()
        self.urged: list[bool] = []
        self._stop = stop

    async def run_next(self, *, urged: Callable[[], bool] = lambda: False) -> None:
        self.urged.append(urged())
        self._stop.set()
        self.urged.append(urged())
        self.over.set()


async def queue(practice_id: PracticeId, count: int) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        for _ in range(count):
            work.enqueue(do_nothing)


async def left(jobs: JobTable, practice_id: PracticeId) -> int:
    count: int = await jobs.connection.fetchval(
        "SELECT count(*) FROM job WHERE practice_id = $1", practice_id
    )
    return count


async def test_a_job_that_cannot_be_stopped_is_left_after_its_limit_and_another_worker_may_take_it(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HEARTBEAT", "CANCEL_AGAIN", "GRACE", "LEAVE"):
        monkeypatch.setattr(runner_module, name, timedelta(milliseconds=20))
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    errand = actor(lane=Lane.BACKGROUND, limit=timedelta(milliseconds=20))(stubborn)
    await ask_for(errand)

    async with asyncio.timeout(WAIT_SECONDS):
        await runner_of(errand).run_next(urged=lambda: True)

    held = await jobs.one()
    assert (held["lease_owner"] is not None, held["attempts"]) == (True, 1)
    released.set()
    await jobs.lapse()
    await runner_of(errand).run_next(urged=lambda: True)
    assert await jobs.all() == []


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
async def test_an_actor_that_wants_to_end_the_process_has_failed_and_no_more(
    jobs: JobTable, error: type[BaseException]
) -> None:
    async def quits() -> None:
        raise error

    errand = actor(lane=Lane.BACKGROUND)(quits)
    await ask_for(errand)

    await runner_of(errand).run_next(urged=lambda: True)

    job = await jobs.one()
    assert (job["lease_owner"], job["attempts"]) == (None, 1)
    assert job["error"].startswith("ActorQuit: ")
