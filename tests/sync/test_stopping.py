"""Runs that somebody ends, and workers that lost their claim: the page they bring too late is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.jobs import JobTable
from tests.support.statements import all_connected, taken_down
from tests.sync.scripted import Reading, Script, page, record
from tieline.clients.service import delete_client
from tieline.connections.service import disconnect
from tieline.ids import JobId
from tieline.plugins import Page, SetAside
from tieline.sync.runs import RunState
from tieline.worker import runner
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

End = Callable[[Reading], Awaitable[Any]]


async def disconnected(client: Reading) -> None:
    await disconnect(client.books.admin, client.connection.id)


async def deleted(client: Reading) -> None:
    await delete_client(client.books.admin, client.connection.client_id)


@pytest.mark.parametrize(("end", "reason"), [(disconnected, "DISCONNECTED"), (deleted, "CLIENT_DELETED")])
async def test_a_run_that_is_ended_between_two_pages_keeps_the_first_only(
    client: Reading, script: Script, end: End, reason: str
) -> None:
    async def ended() -> Page:
        await end(client)
        return page(record("b"), cursor="2", last=True)

    script.answers = {("accounts", None): page(record("a"), cursor="1"), ("accounts", "1"): ended}

    assert await client.slice() is None

    row = await client.row()
    assert (row["state"], row["reason"]) == ("CANCELLED", reason)
    assert row["finished_at"] is not None
    assert await client.ids() == ["a"]
    assert await client.cursors() == {"accounts": "1"}
    assert "SYNC_FAILED" not in await client.books.kinds()


async def test_an_error_that_comes_after_the_end_changes_nothing(client: Reading, script: Script) -> None:
    async def ended() -> Page:
        await disconnected(client)
        raise ValueError

    script.answers["accounts", None] = ended

    assert await client.slice() is None

    assert (await client.run()).state is RunState.CANCELLED


async def job_of(client: Reading, jobs: JobTable) -> dict[str, Any]:
    return await jobs.one(str(client.first))


async def test_a_worker_that_lost_its_claim_cannot_store_its_page(
    jobs: JobTable, client: Reading, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "HEARTBEAT", timedelta(hours=1))  # else it may get its claim back
    job_id = JobId((await job_of(client, jobs))["id"])

    async def late() -> Page:
        script.answers["accounts", None] = page(record("b"), cursor="2", last=True)
        await jobs.lapse()
        await Runner(ACTORS).run(job_id)  # another worker takes the run over, and ends it
        return page(record("a"), cursor="1", last=True)

    script.answers["accounts", None] = late

    await Runner(ACTORS).run(job_id)

    assert await client.ids() == ["b"]
    assert await client.cursors() == {"accounts": "2", "rates": None}
    run = await client.run()
    assert (run.state, run.feeds[0].pages) == (RunState.SUCCEEDED, 1)
    assert await jobs.all(str(client.first)) == []


async def test_a_worker_that_is_told_to_stop_gives_the_run_back_as_it_is(
    jobs: JobTable, client: Reading, script: Script
) -> None:
    hanging = asyncio.Event()

    async def hang() -> Page:
        hanging.set()
        await asyncio.Event().wait()
        raise AssertionError

    script.answers = {("accounts", None): page(record("a"), cursor="1"), ("accounts", "1"): hang}
    worker, job = Runner(ACTORS), await job_of(client, jobs)
    working = asyncio.create_task(worker.run(JobId(job["id"])))
    await hanging.wait()

    await worker.hand_back()
    await working

    assert script.closed == 1
    assert (await job_of(client, jobs))["lease_owner"] is None
    script.answers["accounts", "1"] = page(record("b"), cursor="2", last=True)
    await Runner(ACTORS).run(JobId(job["id"]))
    assert (await client.run()).state is RunState.SUCCEEDED
    assert await client.ids() == ["a", "b"]
    assert script.asked.count(("accounts", None)) == 1


async def test_a_run_whose_workers_are_lost_without_a_page_is_given_up(
    jobs: JobTable, client: Reading, script: Script
) -> None:
    job = await job_of(client, jobs)
    await client.books.sql.execute("UPDATE job SET attempts = 5 WHERE id = $1", job["id"])

    await Runner(ACTORS).run(JobId(job["id"]))

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message == (
        "The work broke off 5 times before a page of the plugin pretend was stored: the worker's log says why."
    )
    assert script.asked == []
    assert await jobs.all(str(client.first)) == []


async def test_a_page_makes_lost_workers_count_anew(jobs: JobTable, client: Reading, script: Script) -> None:
    seen: list[int] = []

    async def looked() -> Page:
        seen.append((await job_of(client, jobs))["attempts"])
        return page(cursor="2", last=True)

    script.answers = {("accounts", None): page(record("a"), cursor="1"), ("accounts", "1"): looked}
    job = await job_of(client, jobs)
    await client.books.sql.execute("UPDATE job SET attempts = 2 WHERE id = $1", job["id"])

    await Runner(ACTORS).run(JobId(job["id"]))

    assert seen == [0]
    assert (await client.run()).state is RunState.SUCCEEDED


async def test_how_many_statements_a_page_takes_does_not_depend_on_its_size(
    client: Reading, script: Script
) -> None:
    await all_connected()
    await client.slice()
    counts: list[int] = []
    for size in (2, 2, 500):  # the first time, the driver asks for types
        script.answers["accounts", "end"] = page(
            *(record(f"{len(counts)}-{each}") for each in range(size)),
            gone=[("accounts", f"gone-{each}") for each in range(size)],
            set_aside=[
                SetAside(dataset="accounts", external_id=f"bad-{each}", why="") for each in range(size)
            ],
            cursor="end",
            last=True,
        )
        with taken_down() as seen:
            await client.again()
        counts.append(len([each for each in seen if each.is_data]))

    assert counts[1] == counts[2]
