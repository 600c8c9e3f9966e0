"""Organisations that are due: a day after their last sync, give or take, each once and none left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.jobs import JobTable, calendar
from tests.support.plans import explained, forget_statistics, handled, sent_by
from tests.support.rows import Filler
from tests.sync.scripted import Reading, Script
from tieline.database import system_scope
from tieline.errors import ClaimLost
from tieline.ids import JobId, OrganisationId, PracticeId, RunId, new_id
from tieline.sync import scheduling
from tieline.sync.due.repository import due_organisations
from tieline.sync.due.times import FEW, next_day, next_try, starts
from tieline.sync.scheduling import AHEAD, EVERY, queue_due
from tieline.sync.service import sync
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


async def due_at(client: Reading, when: timedelta) -> datetime:
    """Have the organisation fall due then, from now."""
    at = await calendar() + when
    await client.books.sql.execute(
        "UPDATE organisation SET next_sync_at = $2 WHERE id = $1", client.organisation_id, at
    )
    return at


async def job_of(client: Reading, run_id: RunId) -> tuple[datetime, str]:
    row = await client.books.sql.fetchrow(
        "SELECT due_at, lane FROM job WHERE arguments->>'run_id' = $1", str(run_id)
    )
    return row["due_at"], row["lane"]


async def test_what_falls_due_before_the_next_look_is_queued_ahead_with_a_job_for_that_very_instant(
    client: Reading,
) -> None:
    await client.slice()
    falls_due = await due_at(client, AHEAD - timedelta(seconds=5))

    run_id = await client.queued()

    assert AHEAD >= 2 * EVERY
    assert await job_of(client, run_id) == (falls_due, "BACKGROUND")
    assert (await client.organisation())["next_sync_at"] > falls_due + DAY * 0.89


async def test_what_falls_due_later_is_left_to_a_later_look(client: Reading) -> None:
    await client.slice()
    await due_at(client, AHEAD + timedelta(minutes=1))

    await queue_due()

    assert await runs_of(client.books) == 0


async def test_who_asks_for_what_is_queued_ahead_does_not_wait_until_it_falls_due(client: Reading) -> None:
    await client.slice()
    falls_due = await due_at(client, AHEAD - timedelta(seconds=5))
    run_id = await client.queued()

    asked = await sync(client.books.admin, client.connection.id)

    assert (asked.id, asked.trigger, asked.requested_by) == (run_id, "MANUAL", client.books.me)
    begins, lane = await job_of(client, run_id)
    assert (begins < falls_due - timedelta(minutes=1), lane) == (True, "INTERACTIVE")


def ids(count: int) -> list[OrganisationId]:
    return [OrganisationId(new_id()) for _ in range(count)]


def test_a_heap_that_nobody_took_in_time_is_spread_over_as_long_again_but_an_hour_at_most() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    week, minutes, ahead = at - timedelta(days=7), at - timedelta(minutes=10), at + timedelta(minutes=1)
    old, lately, coming = ids(FEW), ids(1), ids(1)

    begins = starts(
        {**dict.fromkeys(old, week), **dict.fromkeys(lately, minutes), **dict.fromkeys(coming, ahead)}, at=at
    )

    spread = sorted(begins[each] - at for each in old)
    assert timedelta(0) <= spread[0] < timedelta(minutes=20) < timedelta(minutes=40) < spread[-1]
    assert spread[-1] <= timedelta(hours=1)
    assert timedelta(0) <= begins[lately[0]] - at <= timedelta(minutes=10)
    assert begins[coming[0]] == ahead


def test_a_few_that_nobody_took_in_time_and_many_that_are_just_due_begin_at_once() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    few = dict.fromkeys(ids(FEW), at - timedelta(days=7))
    just_due = dict.fromkeys(ids(3 * FEW), at - timedelta(seconds=30))

    assert set(starts(few | just_due, at=at).values()) == {at}


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


DUE = """
WITH practices AS (
     INSERT INTO practice (id, name, plan, settings, created_at)
     SELECT gen_random_uuid(), 'Crowd ' || n, 'STANDARD', '{}', $1 FROM generate_series(1, $2) AS n
     RETURNING id),
     clients AS (
     INSERT INTO client (id, practice_id, name, name_key, detail_sources, created_at)
     SELECT gen_random_uuid(), p.id, 'C', 'c', '{}', $1 FROM practices AS p, generate_series(1, $3)
     RETURNING practice_id, id)
INSERT INTO organisation (id, practice_id, provider, environment, external_id, name, name_key, client_id, created_at,
                          next_sync_at)
SELECT gen_random_uuid(), practice_id, 'pretend', 'LIVE', id::text, 'O', 'o', id, $1, $1 - random() * interval '1 day'
  FROM clients
"""


async def test_a_look_reads_of_each_practice_no_more_than_it_takes_however_much_is_due(books: Books) -> None:
    practices, each, most = 60, 40, 3
    at = await calendar()
    await books.sql.execute(DUE, at, practices, each)

    for analyzed in (False, True):
        if analyzed:
            await books.sql.execute("ANALYZE organisation, practice")
        else:
            await forget_statistics(books.sql, "organisation", "practice")
        nodes = await explained(None, await sent_by(partial(look_for_due, at, most)))
        read = [handled(node) for node in nodes if node.get("Relation Name") == "organisation"]
        assert 0 < sum(read) <= len(await practices_there(books)) * (most + 1), analyzed
    crowd = await practices_there(books, "name LIKE 'Crowd %'")
    await (await Filler.over(books.sql)).forget(*crowd)


async def practices_there(books: Books, which: str = "true") -> list[PracticeId]:
    return [row["id"] for row in await books.sql.fetch(f"SELECT id FROM practice WHERE {which}")]


async def look_for_due(at: datetime, most: int) -> None:
    async with system_scope():
        await due_organisations(at=at, most=most)


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
