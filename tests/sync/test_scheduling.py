"""Organisations that are due: a day after their last sync, give or take, each once and none left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.jobs import JobTable, calendar
from tests.sync.scripted import Reading, Script
from tieline.errors import ClaimLost
from tieline.ids import JobId, new_id
from tieline.sync import scheduling
from tieline.sync.due.times import next_day, next_try
from tieline.sync.scheduling import queue_due
from tieline.work import Lane
from tieline.work.repository import Claim
from tieline.work.unit import working_on
from tieline.worker.roster import ensure_recurring

Clock = Callable[[timedelta], Awaitable[None]]
DAY = timedelta(hours=24)

pytestmark = pytest.mark.usefixtures("jobs")


async def runs_of(books: Books) -> int:
    return await books.count("sync_run", "trigger = 'SCHEDULE'")


async def test_what_was_synced_is_due_a_day_later_and_queued_once(
    client: Reading, clock: Clock, jobs: JobTable
) -> None:
    await client.slice()
    await clock(DAY * 0.89)
    await queue_due()
    assert await runs_of(client.books) == 0

    await clock(DAY * 0.22)
    again = await queue_due()
    await queue_due()

    assert (again.at - await calendar()) <= timedelta(minutes=1)
    [run] = await client.books.runs()
    assert (run["trigger"], run["lane"], run["requested_by"]) == ("SCHEDULE", "BACKGROUND", None)
    assert list(run["feeds"]) == ["accounts", "rates"]
    assert (await client.organisation())["next_sync_at"] > await calendar() + DAY * 0.8
    [job] = await jobs.all(str(run["id"]))
    assert job["lane"] == "BACKGROUND"


async def test_an_organisation_that_nothing_works_for_is_not_queued(client: Reading, clock: Clock) -> None:
    await client.slice()
    await client.books.expire(client.connection, "ACCESS_LOST")
    await clock(DAY * 1.2)

    await queue_due()

    assert await runs_of(client.books) == 0
    assert (await client.organisation())["next_sync_at"] > await calendar()


async def test_who_has_lost_the_job_queues_nothing_and_stops(client: Reading, clock: Clock) -> None:
    await client.slice()
    await clock(DAY * 1.2)
    lost = Claim(
        job_id=JobId(new_id()),
        practice_id=None,
        actor="sync.queue_due",
        lane=Lane.BACKGROUND,
        arguments={},
        attempts=1,
        fence=1,
        correlation_id="a-lost-job",
    )

    with working_on(lost), pytest.raises(ClaimLost):
        await queue_due()

    assert await runs_of(client.books) == 0


async def test_more_than_a_batch_in_several_practices_by_two_schedulers_at_once(
    client: Reading, script: Script, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    del script
    monkeypatch.setattr(scheduling, "BATCH", 3)
    books = client.books
    clients = await books.clients(10)
    organisations = await books.organisations(*(f"O {each}" for each in range(10)))
    for client_id, organisation_id in zip(clients, organisations, strict=True):
        await books.connected(client_id, organisation_id)
    await books.sql.execute(
        "UPDATE sync_run SET state = 'SUCCEEDED' WHERE practice_id = $1", books.practice_id
    )
    await clock(DAY * 1.2)

    await asyncio.gather(queue_due(), queue_due())
    await queue_due()

    assert await runs_of(books) == 11


def test_the_day_is_jittered_and_tries_come_ever_later() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    days = [(next_day(at) - at) / DAY for _ in range(200)]

    assert 0.9 <= min(days) < 0.95
    assert 1.05 < max(days) <= 1.1
    for failures, hours in ((0, 1), (1, 1), (2, 2), (5, 16), (6, 24), (500, 24)):
        assert 0.9 <= (next_try(at, failures) - at) / (timedelta(hours=1) * hours) <= 1.1


async def test_schedulers_see_to_it_that_somebody_looks(jobs: JobTable, deployment: Deployment) -> None:
    for _ in range(2):
        await ensure_recurring(deployment.settings)

    assert len(await jobs.all("minutely")) == 1
