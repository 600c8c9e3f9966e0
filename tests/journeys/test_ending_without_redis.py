"""A worker that is told to stop while Redis is away gives back what it has all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import dramatiq
import pytest
import redis
from dramatiq.brokers.stub import StubBroker

from tests.support.deployment import Deployment, Process
from tests.support.jobs import JobTable, enqueue_pruning, pruning_blocked, wait_until_pruning
from tests.support.own_redis import OwnRedis, running_redis
from tests.support.polling import until
from tieline.work.doorbell import Doorbell, make_broker
from tieline.worker import process


def draining_briefly() -> None:
    patch.object(process, "DRAIN_SECONDS", 1.0).start()


@pytest.mark.parametrize("strike", [OwnRedis.freeze, OwnRedis.kill], ids=["mute", "gone"])
async def test_a_worker_that_is_told_to_stop_without_redis_hands_back_what_does_not_end_in_time(
    deployment: Deployment,
    opened: Deployment,
    jobs: JobTable,
    start: Callable[..., Process],
    tmp_path: Path,
    strike: Callable[[OwnRedis], None],
) -> None:
    with running_redis(deployment, tmp_path) as own:
        async with pruning_blocked(opened):
            narrow = {"TIELINE_REDIS_URL": own.url, "TIELINE_WORKER_THREADS": "1"}
            worker = start("worker", prepare=draining_briefly, **narrow)
            await enqueue_pruning()
            with closing(Doorbell(make_broker(own.settings))) as bell:
                await bell.call()
            await wait_until_pruning(jobs.connection, workers=1)
            await until_fetched(own)
            strike(own)

            assert await asyncio.to_thread(worker.stop) == 0
            handed_back = await jobs.one()

    assert "job.handed_back" in worker.logged()
    assert (handed_back["lease_owner"], handed_back["attempts"], handed_back["error"]) == (None, 0, None)
    assert handed_back["due_at"] <= datetime.now(UTC)


class Unheard(dramatiq.Worker):
    """Its messages cannot be given back: the line to Redis breaks in this way."""

    def __init__(self, breaks: Exception) -> None:
        super().__init__(StubBroker())
        self.was_told = False
        self._breaks = breaks

    def stop(self, timeout: int = 0) -> None:  # noqa: ARG002 - it ends at once
        self.was_told = True
        raise self._breaks


@pytest.mark.parametrize(
    "breaks", [redis.ConnectionError(), ConnectionResetError(), TimeoutError()], ids=repr
)
def test_in_whatever_way_redis_is_away_who_gives_messages_back_does_not_break_off(
    breaks: Exception,
) -> None:
    worker = Unheard(breaks)

    process._stop(worker)

    assert worker.was_told


async def until_fetched(own: OwnRedis) -> None:
    """Wait until the worker has fetched the call that it passed on, too, which it would give back."""
    with own.client() as client:

        async def none_is_left() -> bool:
            return bool(client.llen("dramatiq:background") == 0)

        await until(none_is_left, "every call is fetched")
