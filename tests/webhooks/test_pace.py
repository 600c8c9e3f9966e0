"""What was touched is read by one run of its own: soon, not too often, and beside everything that is due anyway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.jobs import calendar
from tests.sync.scripted import Reading, page, record
from tests.webhooks.telling import Tell, Telling, queued, work
from tieline.connections.service import disconnect
from tieline.errors import ProviderBroken
from tieline.sync.runs import RunState, Trigger
from tieline.sync.scheduling import queue_due
from tieline.sync.service import sync
from tieline.webhooks.actors import sync_touched
from tieline.work import Again, Lane

Clock = Callable[[timedelta], Awaitable[None]]
SPACING = timedelta(seconds=300)

pytestmark = pytest.mark.usefixtures("jobs")


async def times(client: Reading) -> tuple[object, object]:
    row = await client.organisation()
    return row["last_synced_at"], row["next_sync_at"]


async def test_only_what_was_touched_is_read_however_lately_it_was_read(
    client: Reading, script: Telling, tell: Tell
) -> None:
    await client.slice()
    before = await times(client)
    script.asked.clear()
    script.answers["invoices", "end"] = page(record("new", "invoices"), cursor="more", last=True)

    for _ in range(3):
        await tell("invoices")
    [job] = await client.books.sql.fetch("SELECT * FROM job WHERE actor = 'webhooks.sync_touched'")
    assert await work(client) is None
    run_id = await queued(client)
    await client.slice(run_id)

    wait = job["due_at"] - job["created_at"]
    assert timedelta(seconds=10) <= wait < timedelta(seconds=20)
    assert job["lane"] == "BACKGROUND"
    run = await client.run(run_id)
    assert (run.state, run.trigger, run.lane) == (RunState.SUCCEEDED, Trigger.WEBHOOK, Lane.BACKGROUND)
    assert (run.wanted, run.requested_by) == (("invoices",), None)
    assert script.asked == [("invoices", "end")]
    assert await client.ids("invoices") == ["new"]
    assert await times(client) == before
    assert await work(client) is None
    assert await client.books.runs() == []


async def test_feeds_are_read_in_the_plugins_order(client: Reading, tell: Tell) -> None:
    await client.slice()

    await tell("invoices", "accounts")
    await work(client)

    assert (await client.run(await queued(client))).wanted == ("accounts", "invoices")


async def test_a_run_that_is_live_is_waited_for_since_it_may_be_past_the_change(
    client: Reading, script: Telling, tell: Tell
) -> None:
    await tell("invoices")

    before = await calendar()
    again = await work(client)
    after = await calendar()

    assert again is not None
    assert before <= again.at - timedelta(seconds=30) <= after
    assert [run["trigger"] for run in await client.books.runs()] == ["CONNECT"]
    await client.slice()
    script.asked.clear()
    assert await work(client) is None
    await client.slice(await queued(client))
    assert script.asked == [("invoices", "end")]


async def test_a_run_that_is_paused_is_waited_for_until_it_goes_on(client: Reading, tell: Tell) -> None:
    resume_at = await calendar() + timedelta(hours=7)
    await client.books.sql.execute(
        "UPDATE sync_run SET state = 'PAUSED', limit_name = 'day', resume_at = $2 WHERE id = $1",
        client.first,
        resume_at,
    )
    await tell("invoices")

    assert await work(client) == Again(resume_at)


async def test_what_was_never_read_to_its_end_is_left_to_the_first_sync(client: Reading, tell: Tell) -> None:
    await client.books.sql.execute(
        "UPDATE sync_run SET state = 'FAILED', finished_at = created_at WHERE id = $1", client.first
    )
    await tell("invoices")

    assert await work(client) is None
    assert await client.books.runs() == []
    assert await client.books.count("webhook_touch") == 0


async def test_what_nothing_works_for_is_not_read(client: Reading, tell: Tell) -> None:
    await client.slice()
    await tell("invoices")
    await client.books.expire(client.connection, "ACCESS_LOST")

    assert await work(client) is None
    assert await client.books.runs() == []


async def test_a_disconnected_organisation_is_touched_no_more(client: Reading, tell: Tell) -> None:
    await client.slice()
    await disconnect(client.books.admin, client.connection.id)

    await tell("invoices")

    assert await client.books.runs() == []
    for arguments in await client.books.jobs("webhooks.sync_touched"):
        assert await sync_touched.function(**arguments) is None
    assert await client.books.runs() == []


async def test_the_next_one_waits_for_its_turn_and_takes_all_that_came_meanwhile(
    client: Reading, tell: Tell, clock: Clock
) -> None:
    await client.slice()
    await tell("invoices")
    await work(client)
    first = await queued(client)
    await client.slice(first)
    await tell("invoices")
    await tell("accounts")

    early = await work(client)
    assert early is not None
    assert early.at == (await client.run(first)).created_at + SPACING
    assert await client.books.runs() == []

    await clock(SPACING)
    assert await work(client) is None
    assert (await client.run(await queued(client))).wanted == ("accounts", "invoices")


async def test_one_that_fails_puts_nothing_off(client: Reading, script: Telling, tell: Tell) -> None:
    await client.slice()
    due = datetime.now(UTC) + timedelta(minutes=10)
    await client.books.sql.execute(
        "UPDATE organisation SET next_sync_at = $2 WHERE id = $1", client.organisation_id, due
    )
    script.answers["invoices", "end"] = ProviderBroken("pretend", "it is no JSON")
    await tell("invoices")
    await work(client)
    run_id = await queued(client)

    await client.slice(run_id)

    assert (await client.run(run_id)).state is RunState.FAILED
    assert (await client.organisation())["next_sync_at"] == due


async def test_a_person_who_asks_meanwhile_gets_all_of_it_as_their_own(client: Reading, tell: Tell) -> None:
    await client.slice()
    before = await times(client)
    await tell("invoices")
    await work(client)

    asked = await sync(client.books.admin, client.connection.id)
    await client.slice(asked.id)

    assert (asked.trigger, asked.lane, asked.wanted) == (
        Trigger.MANUAL,
        Lane.INTERACTIVE,
        ("invoices", "accounts"),
    )
    assert (await times(client))[0] != before[0]


@pytest.mark.parametrize(("later", "also"), [(timedelta(0), []), (timedelta(hours=2), [("accounts", "end")])])
async def test_what_is_due_joins_it_and_the_feeds_that_were_not_touched_keep_their_beat(
    client: Reading, script: Telling, tell: Tell, clock: Clock, later: timedelta, also: list[tuple[str, str]]
) -> None:
    await client.slice()
    before = await times(client)
    await clock(later)
    await tell("invoices")
    await work(client)
    await client.books.sql.execute(
        "UPDATE organisation SET next_sync_at = next_sync_at - interval '2 days' WHERE id = $1",
        client.organisation_id,
    )
    script.asked.clear()

    await queue_due()
    run_id = await queued(client)
    await client.slice(run_id)

    assert (await client.run(run_id)).trigger is Trigger.SCHEDULE
    assert script.asked == [("invoices", "end"), *also]
    assert (await times(client))[0] != before[0]


async def test_syncs_of_what_was_touched_neither_grow_nor_end_the_pause_of_those_that_fail(
    client: Reading, script: Telling, tell: Tell, clock: Clock
) -> None:
    await client.slice()
    script.answers["accounts", "end"] = ProviderBroken("pretend", "it is no JSON")
    for _ in range(4):
        await clock(timedelta(hours=30))
        assert (await client.by_schedule()).state is RunState.FAILED
    for touched, state in (("invoices", RunState.SUCCEEDED), ("accounts", RunState.FAILED)):
        await clock(timedelta(hours=1))
        await tell(touched)
        await work(client)
        run_id = await queued(client)
        await client.slice(run_id)
        assert (await client.run(run_id)).state is state
    await clock(timedelta(hours=30))

    await client.by_schedule()

    pause = (await client.organisation())["next_sync_at"] - await calendar()
    assert timedelta(hours=14) < pause < timedelta(hours=18)
