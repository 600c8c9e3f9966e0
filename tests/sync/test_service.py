"""Syncs as callers ask for them and look at them: who may, what is one and the same run, and what they are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.books import DATA_HEALTH, Books
from tests.sync.scripted import Reading, Script, reading
from tieline.clients.service import get_client
from tieline.connections.service import disconnect, reconnect
from tieline.errors import CannotSync, CursorInvalid, Forbidden, Invalid, NotFound
from tieline.ids import ConnectionId, RunId, new_id
from tieline.principal import ClientAccess, ClientRole, Permission
from tieline.sync.runs import RunState, Trigger
from tieline.sync.service import get_run, last_runs, list_runs, sync
from tieline.work import Lane


async def lane_of(client: Reading, run_id: RunId) -> str:
    lane: str = await client.books.sql.fetchval(
        "SELECT lane FROM job WHERE actor = 'sync.work_run' AND arguments->>'run_id' = $1", str(run_id)
    )
    return lane


async def test_asked_for_twice_it_is_one_run_with_one_job(client: Reading) -> None:
    await client.slice()

    one, other = await asyncio.gather(*(sync(client.books.admin, client.connection.id) for _ in range(2)))

    assert one.id == other.id != client.first
    assert (one.state, one.trigger, one.lane) == (RunState.QUEUED, Trigger.MANUAL, Lane.INTERACTIVE)
    assert one.requested_by == client.books.me
    assert one.client_id == client.connection.client_id
    jobs = await client.books.jobs("sync.work_run")
    assert [job for job in jobs if job["run_id"] == str(one.id)] == [
        {"practice_id": str(client.books.practice_id), "run_id": str(one.id)}
    ]
    assert await lane_of(client, one.id) == "INTERACTIVE"


async def test_what_was_never_read_is_long_whoever_asks(client: Reading) -> None:
    run = await sync(client.books.admin, client.connection.id)

    assert (run.id, run.lane) == (client.first, Lane.FIRST)
    assert await lane_of(client, run.id) == "FIRST"


async def test_a_person_who_asks_for_a_run_of_the_night_does_not_wait_behind_it(client: Reading) -> None:
    await client.slice()
    run = await sync(client.books.admin, client.connection.id)
    await client.books.sql.execute("UPDATE sync_run SET lane = 'BACKGROUND' WHERE id = $1", run.id)
    await client.books.sql.execute(
        "UPDATE job SET lane = 'BACKGROUND', due_at = due_at + interval '1 day' WHERE arguments->>'run_id' = $1",
        str(run.id),
    )

    again = await sync(client.books.admin, client.connection.id)

    assert (again.id, again.lane) == (run.id, Lane.INTERACTIVE)
    job = await client.books.sql.fetchrow(
        "SELECT lane, due_at < created_at + interval '1 hour' AS soon FROM job WHERE arguments->>'run_id' = $1",
        str(run.id),
    )
    assert (job["lane"], job["soon"]) == ("INTERACTIVE", True)


async def test_all_that_the_organisation_s_connections_want_is_read(books: Books, script: Script) -> None:
    client = await reading(books, script)
    other = await books.connected(client.connection.client_id, client.organisation_id, DATA_HEALTH)
    await client.slice()

    one = await sync(books.admin, client.connection.id)
    await client.slice(one.id)
    two = await sync(books.admin, other.id)

    assert set(one.wanted) == set(two.wanted) == {"accounts", "rates", "invoices"}
    assert one.credential_id == client.connection.credential_id
    assert two.credential_id == other.credential_id


async def test_what_is_connected_or_works_again_is_read_with_all_else_that_the_organisation_s_connections_want(
    books: Books, script: Script
) -> None:
    """The run counts as a sync of the books, so that none is left to wait for another day."""
    client = await reading(books, script)
    await client.slice()

    other = await books.connected(client.connection.client_id, client.organisation_id, DATA_HEALTH)
    [connected] = await books.runs()
    await client.slice(connected["id"])
    await books.expire(other, "REVOKED_AT_PROVIDER")
    sign_in_id = await books.sign_in(await books.credential(), [client.organisation_id])
    mended = await reconnect(books.admin, other.id, sign_in_id)
    [reconnected] = await books.runs()

    assert [run["trigger"] for run in (connected, reconnected)] == ["CONNECT", "RECONNECT"]
    assert [set(run["feeds"]) for run in (connected, reconnected)] == [{"accounts", "rates", "invoices"}] * 2
    assert (connected["credential_id"], reconnected["credential_id"]) == (
        other.credential_id,
        mended.credential_id,
    )


async def test_who_may_ask_for_a_sync(client: Reading) -> None:
    books, connection = client.books, client.connection
    of_client = await books.client("Another")
    allowed = [
        await books.member(Permission.SYNC),
        await books.of_client(replace(of_client, id=connection.client_id), role=ClientRole.ADMINISTRATOR),
    ]
    forbidden = [await books.member(), await books.member(Permission.MANAGE_CONNECTIONS)]
    blind = [
        await books.member(Permission.SYNC, clients=ClientAccess.LISTED),
        await books.of_client(of_client, role=ClientRole.ADMINISTRATOR),
    ]

    for caller in allowed:
        assert (await sync(caller, connection.id)).id == client.first
    for caller in forbidden:
        with pytest.raises(Forbidden):
            await sync(caller, connection.id)
        assert (await get_run(caller, client.first)).id == client.first
    for caller in blind:
        with pytest.raises(NotFound):
            await sync(caller, connection.id)
        with pytest.raises(NotFound):
            await get_run(caller, client.first)
        with pytest.raises(NotFound):
            await list_runs(caller, connection.id)
        assert await last_runs(caller, [connection.id]) == {}


async def test_an_expired_connection_is_not_synced_and_its_sentence_says_what_mends_it(
    client: Reading,
) -> None:
    await client.books.expire(client.connection, "ACCESS_LOST")

    with pytest.raises(CannotSync, match="ask for access") as refused:
        await sync(client.books.admin, client.connection.id)

    assert (refused.value.code, refused.value.field) == ("CONNECTION_EXPIRED", "connectionId")


async def test_what_is_not_there_is_not_found(client: Reading) -> None:
    await disconnect(client.books.admin, client.connection.id)
    await client.books.sql.execute(
        "UPDATE connection SET ended_at = connected_at WHERE id = $1", client.connection.id
    )

    for connection_id in (client.connection.id, ConnectionId(new_id())):
        with pytest.raises(NotFound):
            await sync(client.books.admin, connection_id)
    with pytest.raises(NotFound):
        await get_run(client.books.admin, RunId(new_id()))
    assert (await list_runs(client.books.admin, client.connection.id)).total == 1


async def test_the_history_comes_page_by_page_with_the_latest_first(client: Reading) -> None:
    await client.slice()
    ids = [client.first] + [(await client.again()).id for _ in range(4)]
    books, connection_id = client.books, client.connection.id

    first = await list_runs(books.admin, connection_id, first=2)
    second = await list_runs(books.admin, connection_id, first=2, after=first.cursors[-1])
    third = await list_runs(books.admin, connection_id, first=2, after=second.cursors[-1])

    assert [run.id for page in (first, second, third) for run in page.rows] == ids[::-1]
    assert [page.has_next for page in (first, second, third)] == [True, True, False]
    assert {page.total for page in (first, second, third)} == {5}
    assert (await last_runs(books.admin, [connection_id]))[connection_id].id == ids[-1]
    with pytest.raises(Invalid):
        await list_runs(books.admin, connection_id, first=0)
    with pytest.raises(CursorInvalid):
        await list_runs(books.admin, connection_id, after="broken")


async def test_no_runs_are_an_empty_page(client: Reading) -> None:
    await client.books.sql.execute("DELETE FROM sync_run WHERE id = $1", client.first)

    page = await list_runs(client.books.admin, client.connection.id)

    assert (page.rows, page.total, page.has_next) == ((), 0, False)
    assert await last_runs(client.books.admin, [client.connection.id]) == {}


async def test_runs_of_books_that_serve_another_client_by_now_are_that_clients(client: Reading) -> None:
    await client.slice()
    record = await get_client(client.books.admin, client.connection.client_id)
    theirs = await client.books.of_client(record, ClientRole.READER)
    seen = await get_run(theirs, client.first)

    await disconnect(client.books.admin, client.connection.id)
    other = await client.books.client("Another")
    await client.books.sql.execute(
        "UPDATE organisation SET client_id = $2 WHERE id = $1", client.connection.organisation_id, other.id
    )

    assert seen.id == client.first
    with pytest.raises(NotFound):
        await get_run(theirs, client.first)
    assert await last_runs(theirs, [client.connection.id]) == {}
    assert (await list_runs(theirs, client.connection.id)).rows == ()
    assert (await list_runs(client.books.admin, client.connection.id)).total == 1
    assert (await get_run(client.books.admin, client.first)).id == client.first
