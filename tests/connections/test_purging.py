"""What is removed once a client was deleted: all that was its alone, and nothing that others use."""

from __future__ import annotations

import asyncio
import contextvars
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ledger.shelf import Row, put
from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.polling import until
from tieline.clients.purging import service
from tieline.clients.purging.repository import PurgeRepository
from tieline.clients.purging.service import purge
from tieline.clients.repository import Client
from tieline.clients.service import delete_client, get_client
from tieline.connections.service import (
    connect,
    disconnect,
    get_connection,
)
from tieline.connections.states import Status
from tieline.ids import ClientId, OrganisationId, PracticeId
from tieline.ledger.datasets import Dataset
from tieline.principal import ClientRole, Permission
from tieline.sign_ins.repository import SignInRepository
from tieline.work import Again, unit_of_work


async def release_all(books: Books) -> None:
    """As if every release at the provider were over: what nothing holds any more is out of reach."""
    await books.sql.execute(
        "DELETE FROM job WHERE practice_id = $1 AND actor LIKE 'credentials.%'", books.practice_id
    )
    for table in ("consent", "sign_in_organisation"):
        await books.sql.execute(
            f"DELETE FROM {table} AS r WHERE r.practice_id = $1 AND EXISTS (SELECT FROM connection AS k "
            "WHERE k.credential_id = r.credential_id AND k.organisation_id = r.organisation_id "
            "AND k.held_organisation_id IS NULL)",
            books.practice_id,
        )


async def read_to_its_end(books: Books, organisation_id: OrganisationId, records: int) -> None:
    """As if syncs had brought so many records, and one that could not be read."""
    await put(
        books,
        organisation_id,
        [Row(dataset=Dataset.INVOICES, external_id=f"{number}") for number in range(records)],
    )
    at = datetime.now(UTC)
    await books.sql.execute(
        "INSERT INTO feed_cursor (practice_id, organisation_id, feed, cursor, generation, full_read_at, updated_at) "
        "VALUES ($1, $2, 'invoices', 'far', 4, $3, $3)",
        books.practice_id,
        organisation_id,
        at,
    )
    await books.sql.execute(
        "INSERT INTO record_set_aside (practice_id, organisation_id, dataset, external_id, feed, why, at) "
        "VALUES ($1, $2, 'invoices', 'odd', 'invoices', 'It is odd.', $3)",
        books.practice_id,
        organisation_id,
        at,
    )
    await books.sql.execute(
        "UPDATE organisation SET last_synced_at = $2, next_sync_at = $2 WHERE id = $1", organisation_id, at
    )


async def what_is_read(books: Books) -> dict[str, int]:
    tables = ("ledger_record", "record_set_aside", "feed_cursor", "sync_run")
    return {table: await books.count(table) for table in tables}


async def deleted(books: Books, name: str = "Acme") -> Client:
    """A client with two products on one organisation, one connection that ended and some people; deleted."""
    client = await books.client(name)
    before = await books.connected(client, await books.organisation("Before"))
    await disconnect(books.admin, before.id)
    organisation_id = await books.organisation(name)
    for product in (BOOKKEEPING, DATA_HEALTH):
        await books.connected(client, organisation_id, product)
    await books.of_client(client, ClientRole.READER)
    await delete_client(books.admin, client.id)
    return client


async def test_the_purge_waits_for_releases_then_removes_everything_and_counts(books: Books) -> None:
    client = await deleted(books)
    bystander = await books.connected(await books.client("Bystander"), await books.organisation("Theirs"))
    await books.events()

    waiting = await purge(books.practice_id, client.id)
    kept = await books.count("organisation"), await books.kinds()
    await release_all(books)
    done = await purge(books.practice_id, client.id)

    assert isinstance(waiting, Again)
    assert kept == (3, [])
    assert done is None
    assert await books.events() == [("CLIENT_PURGED", {"connections": 3, "organisations": 2})]
    for table in ("client_word", "client_member", "connection"):
        assert await books.count(table, f"client_id = '{client.id}'") == 0
    assert await books.count("client") == 1
    assert await books.count("organisation") == 1
    assert (await get_connection(books.admin, bystander.id)).reason is None


async def test_a_release_that_was_given_up_is_not_waited_for(books: Books) -> None:
    client = await deleted(books)
    await books.sql.execute(
        "UPDATE job SET failed_at = due_at WHERE practice_id = $1 AND actor LIKE 'credentials.%'",
        books.practice_id,
    )

    assert await purge(books.practice_id, client.id) is None
    assert await books.count("client") == 0


async def test_no_release_is_waited_for_longer_than_a_day(books: Books) -> None:
    client = await deleted(books)
    deleted_ago = "UPDATE client SET deleted_at = deleted_at - $2::interval WHERE id = $1"
    await books.sql.execute(deleted_ago, client.id, timedelta(hours=23, minutes=59))
    early = await purge(books.practice_id, client.id)

    await books.sql.execute(deleted_ago, client.id, timedelta(minutes=1))
    late = await purge(books.practice_id, client.id)

    assert isinstance(early, Again)
    assert late is None
    assert await books.count("client") == 0
    assert await books.count("organisation") == 2, "what is not released yet is still known"


async def test_purging_twice_or_twice_at_once_tells_it_once(books: Books) -> None:
    for _ in range(10):
        client = await deleted(books)
        await release_all(books)
        await books.events()

        await asyncio.gather(*(purge(books.practice_id, client.id) for _ in range(4)))
        await purge(books.practice_id, client.id)

        assert await books.kinds() == ["CLIENT_PURGED"]


@pytest.mark.parametrize(
    "step",
    [
        "lock",
        "delete_batch",
        "delete_records",
        "uses",
        "waits_for",
        "free_sign_ins",
        "delete_connections",
        "delete_client",
    ],
)
async def test_a_purge_cut_off_anywhere_is_finished_by_the_next(
    books: Books, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    client = await deleted(books, "Acme of many words in its name")
    await release_all(books)
    await books.events()
    monkeypatch.setattr("tieline.clients.purging.service.BATCH", 2)
    real = getattr(PurgeRepository, step)

    async def killed(*arguments: Any) -> None:
        await real(*arguments)
        raise InterruptedError

    with monkeypatch.context() as planted:
        planted.setattr(PurgeRepository, step, killed)
        with pytest.raises(InterruptedError):
            await purge(books.practice_id, client.id)
    await purge(books.practice_id, client.id)

    assert await books.events() == [("CLIENT_PURGED", {"connections": 3, "organisations": 2})]
    assert await books.count("client") == 0
    assert await books.count("client_word") == 0


async def test_a_client_that_is_not_deleted_is_not_purged(books: Books, other_books: Books) -> None:
    client = await books.client("Acme")
    gone = await deleted(other_books)
    await release_all(other_books)

    assert await purge(books.practice_id, client.id) is None
    assert await purge(books.practice_id, gone.id) is None

    assert (await get_client(books.admin, client.id)).name == "Acme"
    assert await other_books.count("client") == 1


async def test_an_organisation_stays_while_another_client_was_connected_to_it(books: Books) -> None:
    client, successor = await books.client("Acme"), await books.client("Successor")
    organisation_id = await books.organisation("Acme")
    made = await books.connected(client, organisation_id)
    await disconnect(books.admin, made.id)
    await books.connected(successor, organisation_id)
    sign_in_id = await books.sign_in(made.credential_id, [organisation_id])
    await books.sql.execute("UPDATE sign_in SET connection_id = $2 WHERE id = $1", sign_in_id, made.id)
    await delete_client(books.admin, client.id)
    await release_all(books)
    await books.events()

    await purge(books.practice_id, client.id)

    assert await books.events() == [("CLIENT_PURGED", {"connections": 1, "organisations": 0})]
    assert (await books.row("organisation", organisation_id))["client_id"] == successor.id
    assert (await books.row("sign_in", sign_in_id))["connection_id"] is None


async def test_what_a_colleagues_sign_in_reaches_is_left_to_be_connected_but_without_what_was_read(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.clients.purging.service.BATCH", 3)
    wrong, right = await books.client("Wrong"), await books.client("Right")
    organisation_id = await books.organisation("Books")
    await books.connected(wrong, organisation_id)
    await read_to_its_end(books, organisation_id, records=10)
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    theirs = await books.sign_in(
        await books.credential(colleague.person_id), [organisation_id], person_id=colleague.person_id
    )
    await delete_client(books.admin, wrong.id)
    await release_all(books)
    await books.events()

    await purge(books.practice_id, wrong.id)

    assert await books.events() == [("CLIENT_PURGED", {"connections": 1, "organisations": 0})]
    assert set((await what_is_read(books)).values()) == {0}
    row = await books.row("organisation", organisation_id)
    assert (row["last_synced_at"], row["next_sync_at"]) == (None, None)
    connected = await connect(
        colleague, theirs, client_id=right.id, product=BOOKKEEPING, organisation_id=organisation_id
    )
    assert connected.status is Status.MISMATCH


@pytest.mark.parametrize(
    ("state", "usable_for", "stays"),
    [
        ("LIVE", -timedelta(hours=1), True),
        ("DEAD", timedelta(hours=1), True),
        ("DEAD", -timedelta(hours=1), False),
    ],
)
async def test_an_organisation_stays_while_a_live_credential_or_a_usable_sign_in_reaches_it(
    books: Books, state: str, usable_for: timedelta, *, stays: bool
) -> None:
    client, organisation_id = await books.client("Acme"), await books.organisation("Acme")
    await books.connected(client, organisation_id)
    await books.sign_in(await books.credential(state=state), [organisation_id], usable_for=usable_for)
    await delete_client(books.admin, client.id)
    await release_all(books)

    await purge(books.practice_id, client.id)

    assert await books.count("organisation") == int(stays)


async def test_what_was_read_stays_while_another_client_was_connected_to_it(books: Books) -> None:
    client, successor = await books.client("Acme"), await books.client("Successor")
    organisation_id = await books.organisation("Acme")
    made = await books.connected(client, organisation_id)
    await read_to_its_end(books, organisation_id, records=2)
    await disconnect(books.admin, made.id)
    theirs = await books.connected(successor, organisation_id)
    await disconnect(books.admin, theirs.id)
    before = await what_is_read(books)
    await delete_client(books.admin, client.id)
    await release_all(books)

    await purge(books.practice_id, client.id)
    kept = await what_is_read(books)
    await delete_client(books.admin, successor.id)
    await release_all(books)
    await purge(books.practice_id, successor.id)

    assert kept == before
    assert before["ledger_record"] == 2
    assert set((await what_is_read(books)).values()) == {0}
    assert await books.count("organisation") == 0


async def test_what_two_deleted_clients_had_in_turn_goes_with_the_first_that_is_purged(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would else leave it to the other, which is gone by then."""
    clients, organisation_id = (
        [await books.client("A"), await books.client("B")],
        await books.organisation("A"),
    )
    await books.sign_in(await books.credential(), [organisation_id])
    for client in clients:
        made = await books.connected(client, organisation_id)
        await disconnect(books.admin, made.id)
    await read_to_its_end(books, organisation_id, records=2)
    for client in clients:
        await delete_client(books.admin, client.id)
    await release_all(books)

    real = service._purge_rest

    async def after_the_other(practice_id: PracticeId, client_id: ClientId) -> bool:
        if client_id == clients[0].id:
            await purge(practice_id, clients[1].id)
        return await real(practice_id, client_id)

    monkeypatch.setattr(service, "_purge_rest", after_the_other)
    await purge(books.practice_id, clients[0].id)

    assert set((await what_is_read(books)).values()) == {0}
    assert await books.count("organisation") == 1


async def test_a_client_that_is_purged_is_connected_by_somebody_else_in_the_middle_and_read_anew(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.clients.purging.service.BATCH", 2)
    client, successor = await books.client("Acme"), await books.client("Successor")
    organisation_id = await books.organisation("Acme")
    await books.connected(client, organisation_id)
    await read_to_its_end(books, organisation_id, records=6)
    sign_in_id = await books.sign_in(await books.credential(), [organisation_id])
    await delete_client(books.admin, client.id)
    await release_all(books)
    real, calls = PurgeRepository.delete_records, 0

    async def counted(self: PurgeRepository, *arguments: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise InterruptedError
        return await real(self, *arguments)

    with monkeypatch.context() as planted:
        planted.setattr(PurgeRepository, "delete_records", counted)
        with pytest.raises(InterruptedError):
            await purge(books.practice_id, client.id)
    await connect(
        books.admin, sign_in_id, client_id=successor.id, product=BOOKKEEPING, organisation_id=organisation_id
    )
    await purge(books.practice_id, client.id)

    (cursor,) = await books.sql.fetch("SELECT * FROM feed_cursor WHERE practice_id = $1", books.practice_id)
    assert (cursor["cursor"], cursor["full_read_at"], cursor["generation"]) == (None, None, 4)
    assert (await what_is_read(books))["ledger_record"] == 4
    assert len(await books.runs()) == 1
    assert await books.count("client") == 1


async def test_a_purge_waits_for_sign_ins_before_it_holds_their_organisations(books: Books) -> None:
    """sign-in → organisation, as who completes one: in the other order each would wait for the other."""
    client, organisation_id = await books.client("Acme"), await books.organisation("Acme")
    made = await books.connected(client, organisation_id)
    sign_in_id = await books.sign_in(await books.credential(), [organisation_id])
    await books.sql.execute("UPDATE sign_in SET connection_id = $2 WHERE id = $1", sign_in_id, made.id)
    await delete_client(books.admin, client.id)
    await release_all(books)
    async with unit_of_work(books.admin):
        assert await SignInRepository.of(books.practice_id).lock(sign_in_id)
        purging = asyncio.create_task(purge(books.practice_id, client.id), context=contextvars.Context())
        await until(books.somebody_waits, "the purge waits for the sign-in")

        assert await books.is_free("organisation", organisation_id)

    assert await purging is None
    assert (await books.row("sign_in", sign_in_id))["connection_id"] is None
