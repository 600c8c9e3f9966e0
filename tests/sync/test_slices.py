"""A slice of a run: pages are kept as they come, and the next slice goes on behind the last one."""

from __future__ import annotations

from datetime import timedelta

from tests.support.books import DATA_HEALTH, Books
from tests.sync.scripted import Reading, Script, page, reading, record
from tieline.sync.runs import FeedProgress, RunState, Trigger
from tieline.sync.service import sync
from tieline.work import Lane


async def test_a_first_run_reads_every_feed_to_its_end(client: Reading, script: Script) -> None:
    script.answers = {
        ("accounts", None): page(record("a"), record("b"), cursor="1"),
        ("accounts", "1"): page(record("c"), cursor="2", last=True),
        ("rates", None): page(record("r", "rates")),
    }
    queued = await client.run()

    assert await client.slice() is None

    run = await client.run()
    assert (queued.state, queued.lane, queued.trigger) == (RunState.QUEUED, Lane.FIRST, Trigger.CONNECT)
    assert (run.state, run.reason, run.message) == (RunState.SUCCEEDED, None, None)
    assert run.feeds == (
        FeedProgress(feed="accounts", pages=2, records=3, changed=3, calls=2, done=True),
        FeedProgress(feed="rates", pages=1, records=1, changed=1, calls=1, done=True),
    )
    assert await client.ids() == ["a", "b", "c"]
    assert await client.ids("rates") == ["r"]
    assert await client.cursors() == {"accounts": "2", "rates": None}
    organisation = await client.organisation()
    assert organisation["last_synced_at"] == run.finished_at
    assert run.finished_at is not None
    day = (organisation["next_sync_at"] - run.finished_at) / timedelta(hours=24)
    assert 0.9 <= day <= 1.1
    assert await client.books.kinds() == ["SYNC_SUCCEEDED"]
    assert script.closed == 2


async def test_the_next_run_asks_from_where_the_last_one_ended_and_begins_snapshots_anew(
    client: Reading, script: Script
) -> None:
    script.answers = {
        ("accounts", None): page(record("a"), record("b"), cursor="2", last=True),
        ("rates", None): page(record("r", "rates"), record("s", "rates")),
    }
    await client.slice()
    before = await client.records()
    script.asked.clear()
    script.answers = {
        ("accounts", "2"): page(
            record("a"), record("b", name="Other"), gone=[("accounts", "z")], cursor="3", last=True
        ),
        ("rates", None): page(record("r", "rates")),
    }

    run = await client.again()

    assert script.asked == [("accounts", "2"), ("rates", None)]
    assert [(each.records, each.changed) for each in run.feeds] == [(2, 1), (1, 1)]
    assert (run.trigger, run.lane) == (Trigger.MANUAL, Lane.INTERACTIVE)
    after = await client.records()
    assert after["accounts", "a"] == before["accounts", "a"]
    assert after["accounts", "b"]["name"] == "Other"
    assert after["rates", "r"]["changed_at"] == before["rates", "r"]["changed_at"]
    assert after["rates", "r"]["generation"] == before["rates", "r"]["generation"] + 1
    assert ("rates", "s") not in after


async def test_a_slice_that_is_over_leaves_the_rest_to_the_next(client: Reading, script: Script) -> None:
    script.answers = {
        ("accounts", None): page(record("a"), cursor="1"),
        ("accounts", "1"): page(record("b"), cursor="2"),
        ("accounts", "2"): page(record("c"), cursor="3", last=True),
        ("rates", None): page(record("r", "rates"), cursor="x"),
        ("rates", "x"): page(record("s", "rates")),
    }

    states = []
    while await client.slice(seconds=0) is not None:
        states.append((await client.run()).state)

    assert states == [RunState.RUNNING] * 4
    assert script.asked == [
        ("accounts", None),
        ("accounts", "1"),
        ("accounts", "2"),
        ("rates", None),
        ("rates", "x"),
    ]
    assert (await client.run()).state is RunState.SUCCEEDED
    assert await client.ids("rates") == ["r", "s"]


async def test_feeds_that_are_asked_for_meanwhile_are_read_too(books: Books, script: Script) -> None:
    client = await reading(books, script)
    assert await client.slice(seconds=0) is not None
    other = await books.connected(client.connection.client_id, client.organisation_id, DATA_HEALTH)

    joined = await sync(books.admin, other.id)

    assert joined.id == client.first
    assert joined.wanted == ("accounts", "rates", "invoices")
    assert await client.slice() is None
    assert [each.done for each in (await client.run()).feeds] == [True, True, True]
    assert script.asked == [("accounts", None), ("rates", None), ("invoices", None)]
