"""Reading the lists alone: which feeds that is, what it joins, and what it leaves as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.books import DATA_HEALTH, Books
from tests.sync.scripted import ACCOUNTS, INVOICES, RATES, Reading, Script, page, reading, record
from tieline.connections.service import disconnect
from tieline.errors import CannotSync, Forbidden, NotFound, ProviderBroken
from tieline.ids import ConnectionId, new_id
from tieline.plugins import Feed, FeedKind
from tieline.principal import ClientRole, Permission
from tieline.sync.runs import RunState, Trigger
from tieline.sync.service import refresh_lists, sync
from tieline.work import Lane


async def read_once(books: Books, script: Script) -> Reading:
    """A client whose documents are read as well as lists, read to the end; nothing is asked of the provider yet."""
    client = await reading(books, script, product=DATA_HEALTH)
    await client.slice()
    await books.sql.execute(
        "UPDATE organisation SET next_sync_at = next_sync_at - interval '2 hours' WHERE id = $1",
        client.organisation_id,
    )
    script.asked.clear()
    await books.events()
    return client


async def times(client: Reading) -> tuple[object, object]:
    row = await client.organisation()
    return row["last_synced_at"], row["next_sync_at"]


async def test_only_the_lists_are_read_and_the_books_do_not_count_as_synced(
    books: Books, script: Script
) -> None:
    client = await read_once(books, script)
    script.answers["accounts", "end"] = page(record("new"), cursor="more", last=True)
    before = await times(client)

    run = await refresh_lists(books.admin, client.connection.id)
    during = await times(client)
    await client.slice(run.id)

    assert (run.state, run.trigger, run.lane) == (RunState.QUEUED, Trigger.REFRESH_LISTS, Lane.INTERACTIVE)
    assert (run.wanted, run.requested_by) == (("accounts",), books.me)
    assert script.asked == [("accounts", "end")]
    assert await client.ids() == ["new"]
    assert (await client.run(run.id)).state is RunState.SUCCEEDED
    assert before == during == await times(client)
    assert await books.kinds() == ["SYNC_SUCCEEDED"]


async def test_where_nothing_but_lists_is_read_the_books_are_synced(books: Books, script: Script) -> None:
    script.info = replace(script.info, feeds={DATA_HEALTH: (ACCOUNTS,)})
    client = await read_once(books, script)
    before = await times(client)

    await client.slice((await refresh_lists(books.admin, client.connection.id)).id)

    after = await times(client)
    assert all(now != then for now, then in zip(after, before, strict=True))


async def test_a_feed_that_brings_lists_among_other_things_is_read(books: Books, script: Script) -> None:
    changes = Feed(
        name="changes",
        datasets=("invoices", "terms"),
        kind=FeedKind.CHANGES,
        every=timedelta(hours=1),
    )
    script.info = replace(script.info, feeds={DATA_HEALTH: (RATES, INVOICES, changes)})
    client = await read_once(books, script)

    assert (await refresh_lists(books.admin, client.connection.id)).wanted == ("changes",)


async def test_asked_for_twice_it_is_one_run_and_a_sync_takes_it_along(books: Books, script: Script) -> None:
    client = await read_once(books, script)

    one, other = await asyncio.gather(*(refresh_lists(books.admin, client.connection.id) for _ in range(2)))
    whole = await sync(books.admin, client.connection.id)
    joined = await refresh_lists(books.admin, client.connection.id)
    before = await times(client)
    await client.slice(one.id)

    assert one.id == other.id == whole.id == joined.id
    assert [each.trigger for each in (one, whole, joined)] == [
        Trigger.REFRESH_LISTS,
        Trigger.MANUAL,
        Trigger.MANUAL,
    ]
    assert whole.wanted == joined.wanted == ("accounts", "invoices")
    assert (await times(client))[0] != before[0]


async def test_one_that_fails_is_told_as_any_run(books: Books, script: Script) -> None:
    client = await read_once(books, script)
    script.answers["accounts", "end"] = ProviderBroken("pretend", "it is no JSON")

    run = await refresh_lists(books.admin, client.connection.id)
    await client.slice(run.id)

    assert (await client.run(run.id)).state is RunState.FAILED
    assert await books.kinds() == ["SYNC_FAILED"]


async def test_who_may_refresh_lists_and_of_what(books: Books, script: Script) -> None:
    client = await read_once(books, script)
    of_client = replace(await books.client("Another"), id=client.connection.client_id)
    administrator = await books.of_client(of_client, ClientRole.ADMINISTRATOR)
    for caller in (await books.member(Permission.SYNC), administrator):
        assert (await refresh_lists(caller, client.connection.id)).trigger is Trigger.REFRESH_LISTS
    for caller in (
        await books.member(Permission.MANAGE_CONNECTIONS),
        await books.of_client(of_client, ClientRole.READER),
    ):
        with pytest.raises(Forbidden):
            await refresh_lists(caller, client.connection.id)
    with pytest.raises(NotFound):
        await refresh_lists(books.admin, ConnectionId(new_id()))
    await disconnect(books.admin, client.connection.id)
    with pytest.raises(CannotSync):
        await refresh_lists(books.admin, client.connection.id)
