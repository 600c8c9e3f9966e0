"""Jobs with real workers and schedulers: what is queued runs, whatever dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.deployment import Deployment, Process
from tests.support.events import cursor_of
from tests.support.firm import Firm
from tests.support.jobs import (
    JobTable,
    enqueue_pruning,
    events_of,
    old_events,
    pruning_blocked,
    wait_until_pruning,
)
from tests.support.patience import with_redis
from tests.support.polling import until
from tieline import draining
from tieline.activity.actors import prune_activity
from tieline.connections.actors import sweep_organisations
from tieline.errors import CursorExpired
from tieline.events.actors import prune_events
from tieline.events.service import read_events
from tieline.practices.api_keys.actors import prune_keys
from tieline.principal import Principal
from tieline.sweeps.actors import (
    expire_consents,
    prune_meters,
    prune_runs,
    prune_sign_ins,
    prune_tombstones,
    renew_ahead,
    warn_ahead,
)
from tieline.webhooks.actors import prune_webhooks
from tieline.work.doorbell import Doorbell, make_broker
from tieline.work.repository import LEASE
from tieline.worker import process, scheduler
from tieline.worker.scheduler import MAX_UNREAD, ring_for_due

Start = Callable[..., Process]
_AN_HOUR = timedelta(hours=1)
EVENT_CURSOR = "{ clients { eventCursor } }"


async def test_a_job_whose_ring_is_lost_still_runs(jobs: JobTable, start: Start) -> None:
    await enqueue_pruning()
    assert jobs.rings() == 1
    jobs.redis.flushdb()

    start("worker")
    start("scheduler")

    assert (await jobs.wait_until_over())["fence"] == 1


async def test_a_ring_alone_starts_a_job_without_any_scheduler(jobs: JobTable, start: Start) -> None:
    start("worker", "--queues", "background")

    await enqueue_pruning()

    assert (await jobs.wait_until_over())["fence"] == 1


async def test_a_worker_leaves_the_queues_alone_that_it_was_not_given(jobs: JobTable, start: Start) -> None:
    interactive = start("worker", "--queues", "interactive")
    background = start("worker", "--queues", "background")

    await enqueue_pruning()
    await jobs.wait_until_over()

    assert interactive.stop() == background.stop() == 0
    assert "job.done" in background.logged()
    assert "job.done" not in interactive.logged()


async def test_a_job_whose_worker_is_killed_runs_again_elsewhere_and_takes_effect_once(
    opened: Deployment, jobs: JobTable, start: Start, firm: Firm
) -> None:
    positions = await old_events(jobs.connection, firm.practice_id, count=3)
    start("scheduler")
    await jobs.rest_daily()
    async with pruning_blocked(opened):
        first = start("worker")
        await enqueue_pruning()
        await wait_until_pruning(jobs.connection, workers=1)
        held = await jobs.one()
        lease = held["lease_until"] - await jobs.connection.fetchval("SELECT clock_timestamp()")
        first.kill()
    await wait_until_pruning(jobs.connection, workers=0)
    left_behind = await events_of(jobs.connection, firm.practice_id)

    second = start("worker")
    await jobs.lapse(LEASE)
    done = await jobs.wait_until_over()

    assert timedelta(0) < lease <= LEASE
    assert left_behind == positions, "what the killed worker had not committed never was"
    assert held["fence"] == 1
    assert (done["fence"], done["attempts"], done["error"]) == (2, 0, None)
    assert await events_of(jobs.connection, firm.practice_id) == []
    assert second.stop() == 0
    assert second.logged().count("job.done") == 1


def draining_patiently() -> None:
    patch.object(process, "DRAIN_SECONDS", 25.0).start()
    patch.object(draining, "END_SECONDS", 60.0).start()


async def test_a_worker_that_is_told_to_stop_finishes_what_is_under_way(
    opened: Deployment, jobs: JobTable, start: Start
) -> None:
    async with pruning_blocked(opened):
        worker = start("worker", prepare=draining_patiently)
        await enqueue_pruning()
        await wait_until_pruning(jobs.connection, workers=1)
        worker.popen.terminate()
        await asyncio.to_thread(worker.wait_for, "worker.draining")

    assert await asyncio.to_thread(worker.stop) == 0
    assert (await jobs.wait_until_over())["fence"] == 1
    assert "job.done" in worker.logged()


def draining_briefly() -> None:
    patch.object(process, "DRAIN_SECONDS", 1.0).start()


async def test_a_worker_that_is_told_to_stop_hands_back_what_does_not_end_in_time(
    opened: Deployment, jobs: JobTable, start: Start
) -> None:
    async with pruning_blocked(opened):
        worker = start("worker", prepare=draining_briefly)
        await enqueue_pruning()
        await wait_until_pruning(jobs.connection, workers=1)

        assert await asyncio.to_thread(worker.stop) == 0
        handed_back = await jobs.one()

    assert "job.handed_back" in worker.logged()
    assert "job.done" not in worker.logged()
    assert (handed_back["lease_owner"], handed_back["lease_until"], handed_back["rung_at"]) == (
        None,
        None,
        None,
    )
    assert (handed_back["attempts"], handed_back["error"], handed_back["failed_at"]) == (0, None, None)
    assert handed_back["due_at"] <= datetime.now(UTC)


def taking_no_ring_for_lost() -> None:
    """However long one of them stands still between its look and its rings."""
    patch.multiple(scheduler, _LOST_AFTER=_AN_HOUR, _UNHEARD_AFTER=_AN_HOUR).start()
    with_redis()


async def test_two_schedulers_at_once_ring_once_for_each_due_job(jobs: JobTable, start: Start) -> None:
    schedulers = [start("scheduler", prepare=taking_no_ring_for_lost) for _ in range(2)]
    await jobs.rest_daily()

    await _insert_due(jobs, "first", 400)
    await until(lambda: _all_rung(jobs), "every job was rung for")
    await _insert_due(jobs, "second", 1)
    await until(lambda: _all_rung(jobs), "the schedulers looked once more")

    assert [each.stop() for each in schedulers] == [0, 0]
    assert jobs.rings("interactive") == 401
    assert len(jobs.rung_for()) == 401


async def test_a_backlog_puts_a_bounded_number_of_rings_into_redis(
    jobs: JobTable, opened: Deployment
) -> None:
    await _insert_due(jobs, "backlog", 3 * MAX_UNREAD)
    bell = Doorbell(make_broker(opened.settings))

    rung = [await ring_for_due(bell) for _ in range(3)]

    assert rung == [MAX_UNREAD, 0, 0]
    assert jobs.rings("interactive") == MAX_UNREAD


async def test_rings_that_were_lost_on_the_way_are_rung_again_soon(
    jobs: JobTable, opened: Deployment
) -> None:
    await _insert_due(jobs, "lost", 20)
    bell = Doorbell(make_broker(opened.settings))
    assert await ring_for_due(bell) == 20

    jobs.redis.flushdb()
    await jobs.connection.execute("UPDATE job SET rung_at = rung_at - interval '3 seconds'")

    assert await ring_for_due(bell) == 20


async def test_several_schedulers_keep_one_row_of_each_recurring_job(jobs: JobTable, start: Start) -> None:
    for _ in range(2):
        start("scheduler")

    recurring = await jobs.all("daily") + await jobs.all("hourly")

    assert sorted((job["actor"], job["arguments"]) for job in recurring) == sorted(
        [
            (prune_events.name, '{"keep_days": 30}'),
            (sweep_organisations.name, "{}"),
            (prune_activity.name, '{"keep_days": 2557}'),
            (prune_keys.name, '{"keep_days": 2558}'),
            (prune_runs.name, '{"keep_days": 90}'),
            (prune_sign_ins.name, '{"keep_days": 7}'),
            (prune_tombstones.name, '{"keep_days": 30}'),
            (prune_webhooks.name, '{"keep_days": 35}'),
            *((each.name, "{}") for each in (prune_meters, expire_consents, warn_ahead, renew_ahead)),
        ]
    )


async def test_events_are_kept_for_thirty_days_and_cursors_that_reach_further_back_have_expired(
    jobs: JobTable, start: Start, firm: Firm, clock: Any
) -> None:
    principal = Principal.machine(firm.practice_id)
    before = await _usable_cursor(firm)
    await firm.admin.create_client("Long ago")
    await until(lambda: _told(principal, before, 1), "the event can be read")
    start("worker")
    start("scheduler")
    await until(lambda: _swept_daily(jobs), "the first daily sweep is over")
    between = await cursor_of(firm.admin)  # behind what sweeps told others, which is pruned as well

    await clock(timedelta(days=31))
    lately = await firm.admin.create_client("Lately")
    await until(lambda: _none_but(jobs, firm, 1), "the old event is gone")

    with pytest.raises(CursorExpired):
        await read_events(principal, before)
    await until(lambda: _told(principal, between, 1), "the newer event can be read")
    newer = await read_events(principal, between)
    assert [str(event.client_id) for event in newer.events] == [lately]


async def _insert_due(jobs: JobTable, key: str, count: int) -> None:
    await jobs.connection.execute(
        "INSERT INTO job (id, actor, arguments, lane, key, due_at, created_at, correlation_id) "
        "SELECT gen_random_uuid(), 'nobody.knows', '{}', 'INTERACTIVE', $1 || n, $2, $2, 'test' "
        "  FROM generate_series(1, $3) AS n",
        key,
        datetime.now(UTC),
        count,
    )


async def _all_rung(jobs: JobTable) -> bool:
    count = await jobs.connection.fetchval("SELECT count(*) FROM job WHERE actor = 'nobody.knows'")
    return bool(jobs.rings("interactive") >= count)


async def _swept_daily(jobs: JobTable) -> bool:
    return all(
        job["lease_owner"] is None and job["due_at"] > datetime.now(UTC) + timedelta(hours=20)
        for job in await jobs.all("daily")
    )


async def _usable_cursor(firm: Firm) -> str:
    """A page's cursor that is past what earlier tests had swept: open transactions anywhere hold the feed up."""
    cursors: list[str] = []

    async def usable() -> bool:
        cursors.append((await firm.admin.ask(EVENT_CURSOR))["clients"]["eventCursor"])
        with suppress(CursorExpired):
            await read_events(Principal.machine(firm.practice_id), cursors[-1])
            return True
        return False

    await until(usable, "a page's cursor can be read from")
    return cursors[-1]


async def _told(principal: Principal, after: str, count: int) -> bool:
    return len((await read_events(principal, after)).events) == count


async def _none_but(jobs: JobTable, firm: Firm, count: int) -> bool:
    return bool(len(await events_of(jobs.connection, firm.practice_id)) == count)
