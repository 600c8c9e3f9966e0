"""Runs in real worker processes, killed at every page: the books are equal all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import Desk
from tests.support.deployment import Process
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.sync.synced import PAGES, Synced, connected
from tieline.sync.runs import RunState

__all__ = ["desk", "sandbox", "sandbox_url"]

Start = Callable[..., Process]
HELD_SECONDS = 20.0
"""Longer than it takes to kill a worker, and not so long that it gives up."""


@pytest.fixture
async def client(jobs: JobTable, desk: Desk) -> AsyncIterator[Synced]:  # noqa: ARG001 - no other jobs
    """Books of several pages."""
    made = await connected(desk, PAGES)
    yield made
    await desk.sandbox.control("PUT", "/latency", {"seconds": 0})


async def let_through_one(client: Synced) -> None:
    """The next call is answered, as are those that were held, and all that come behind it are held."""
    sandbox = client.desk.sandbox
    await sandbox.control("DELETE", "/faults")
    await sandbox.plant("slow", "accounting", after=1, times=99, seconds=HELD_SECONDS)
    await sandbox.control("PUT", "/latency", {"seconds": 0})


async def until_the_next_is_held(client: Synced, before: int) -> None:
    """Until a page is committed, and what follows is asked for: then nothing goes on."""

    async def held() -> bool:
        is_over = (await client.run()).state is RunState.SUCCEEDED
        return is_over or len(await client.calls()) == before + 2

    await until(held, "one page is committed and the next is asked for")


async def lapse(jobs: JobTable) -> None:
    """As if so much real time had gone by that the dead worker's lease and its calls in flight are over."""
    await jobs.lapse()
    for key in jobs.redis.scan_iter("quota:*:flight:*"):
        jobs.redis.delete(key)


async def test_a_worker_that_is_killed_at_each_page_loses_nothing_and_asks_nothing_twice(
    client: Synced, jobs: JobTable, start: Start
) -> None:
    start("scheduler")
    answered: list[int] = []
    while (await client.run()).state is not RunState.SUCCEEDED:
        await let_through_one(client)
        worker = start("worker")
        await until_the_next_is_held(client, answered[-1] if answered else 0)
        worker.kill()
        await lapse(jobs)
        answered.append(len(await client.calls()))

    [run] = await client.runs()
    assert (run.id, run.state) == (client.first, RunState.SUCCEEDED)
    assert await client.kept() == await client.truth()
    assert len(answered) == sum(each.pages for each in run.feeds) >= 9
    asked = [entry["asked"] for entry in await client.calls()]
    again = [number for number, one in enumerate(asked) if one in asked[:number]]
    # What was asked for when the signal came is all that was asked for once more.
    assert set(again) <= set(answered)
    assert all(asked[number] == asked[number - 1] for number in again)
