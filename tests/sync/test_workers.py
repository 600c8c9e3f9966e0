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
SLOW = 0.25


@pytest.fixture
async def client(jobs: JobTable, desk: Desk) -> AsyncIterator[Synced]:  # noqa: ARG001 - no other jobs
    """Books of several pages, at a provider that takes its time."""
    made = await connected(desk, PAGES)
    await desk.sandbox.control("PUT", "/latency", {"seconds": SLOW})
    yield made
    await desk.sandbox.control("PUT", "/latency", {"seconds": 0})


async def pages_of(client: Synced) -> int:
    return sum(each.pages for each in (await client.run()).feeds)


async def until_pages(client: Synced, number: int) -> None:
    async def as_many() -> bool:
        run = await client.run()
        return sum(each.pages for each in run.feeds) >= number or run.state is RunState.SUCCEEDED

    await until(as_many, f"{number} pages are committed")


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
    committed = 0
    while (await client.run()).state is not RunState.SUCCEEDED:
        worker = start("worker")
        await until_pages(client, committed + 1)
        worker.kill()
        await lapse(jobs)
        committed = await pages_of(client)
        answered.append(len(await client.calls()))

    [run] = await client.runs()
    assert (run.id, run.state) == (client.first, RunState.SUCCEEDED)
    assert await client.kept() == await client.truth()
    pages = sum(each.pages for each in run.feeds)
    assert pages >= 9
    assert len(answered) >= pages - 2  # a page may have slipped in before the signal
    asked = [entry["asked"] for entry in await client.calls()]
    again = [number for number, one in enumerate(asked) if one in asked[:number]]
    # What was asked for when the signal came is all that was asked for once more.
    assert set(again) <= set(answered)
    assert all(asked[number] == asked[number - 1] for number in again)
