"""A deleted client is gone for everybody at once, and from the tables once the job has run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.clients.purging.repository import PurgeRepository
from tieline.clients.purging.service import purge
from tieline.clients.repository import Client
from tieline.clients.service import delete_client, get_client, list_clients, rename_client
from tieline.connections.board.service import list_board
from tieline.connections.decisions import Asked
from tieline.connections.listing.service import list_connections
from tieline.connections.service import (
    bulk_connect,
    connections_of_clients,
    disconnect,
    get_connection,
    get_organisations,
    reconnect,
)
from tieline.connections.suggestions.service import suggest_clients
from tieline.errors import Forbidden, NotFound, Refused
from tieline.events.kinds import ClientDeleted
from tieline.events.service import read_events
from tieline.practices.service import add_client_member
from tieline.principal import ClientAccess, ClientRole, Permission
from tieline.work import Again


async def release_all(books: Books) -> None:
    """As if every release at the provider were over."""
    await books.sql.execute(
        "DELETE FROM job WHERE practice_id = $1 AND actor LIKE 'credentials.%'", books.practice_id
    )


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


async def test_deleting_ends_connections_frees_organisations_and_queues_the_rest(books: Books) -> None:
    client = await books.client("Acme", practice_code="A1")
    organisation_id, other_id = await books.organisations("Acme", "Other")
    one = await books.connected(client, organisation_id)
    other = await books.connected(client, other_id, DATA_HEALTH)
    await disconnect(books.admin, other.id)
    await books.sql.execute("DELETE FROM job WHERE practice_id = $1", books.practice_id)
    await books.events()

    gone = await delete_client(books.admin, client.id)

    assert gone == client
    assert sorted(await books.kinds()) == ["CLIENT_DELETED", "CONNECTION_ENDED", "CONNECTION_ENDED"]
    assert await books.count("connection", "ended_at IS NULL") == 0
    assert await books.count("organisation", "client_id IS NOT NULL") == 0
    assert await books.runs() == []
    assert [job["credential_id"] for job in await books.jobs("credentials.release_organisation")] == [
        str(one.credential_id)
    ]
    assert await books.jobs("clients.purge_client") == [
        {"practice_id": str(books.practice_id), "client_id": str(client.id)}
    ]
    again = await books.client("Acme", practice_code="A1")
    assert again.practice_code == "A1"


async def test_nothing_finds_a_deleted_client(books: Books) -> None:
    client, organisation_id = await books.client("Acme"), await books.organisation("Acme")
    made = await books.connected(client, organisation_id)
    team = await books.client("Bystander")
    administrator = await books.of_client(client, ClientRole.ADMINISTRATOR)
    listed = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
        books.practice_id,
        listed.person_id,
        client.id,
    )
    sign_in_id = await books.sign_in(await books.credential(), [organisation_id])
    await delete_client(books.admin, client.id)

    for principal in (books.admin, administrator, listed):
        with pytest.raises(NotFound):
            await get_client(principal, client.id)
        with pytest.raises(NotFound):
            await rename_client(principal, client.id, "Else")
        with pytest.raises(NotFound):
            await delete_client(principal, client.id)
        with pytest.raises(NotFound):
            await get_connection(principal, made.id)
        with pytest.raises(NotFound):
            await disconnect(principal, made.id)
        with pytest.raises(NotFound, match="connection"):
            await reconnect(principal, made.id, sign_in_id)
        assert client.id not in {row.id for row in (await list_clients(principal)).rows}
        assert (await list_clients(principal, search="acme")).total == 0
        assert (await list_connections(principal)).total == 0
        assert await connections_of_clients(principal, [client.id]) == {client.id: []}
    assert [row.client.id for row in (await list_board(books.admin, BOOKKEEPING)).rows] == [team.id]
    assert await get_organisations(administrator, [organisation_id]) == {}
    assert await suggest_clients(books.admin, sign_in_id, BOOKKEEPING, [organisation_id]) == {
        organisation_id: ()
    }
    row = Asked(client_id=client.id, organisation_id=organisation_id)
    assert [each.outcome for each in await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, [row])] == [
        "NOT_FOUND"
    ]
    with pytest.raises(NotFound):
        await add_client_member(
            books.practice_id, name="New", email="n@c.invalid", client_id=client.id, role=ClientRole.READER
        )


async def test_who_saw_the_client_sees_that_it_was_deleted(books: Books) -> None:
    client = await books.client("Acme")
    reader = await books.of_client(client, ClientRole.READER)
    cursor = (await list_clients(reader)).event_cursor

    await delete_client(books.admin, client.id)

    batch = await read_events(reader, cursor)
    assert [event.kind for event in batch.events] == [ClientDeleted.kind]


async def test_who_may_delete(books: Books, other_books: Books) -> None:
    client, other = await books.client("Acme"), await books.client("Other")
    for principal in (
        await books.member(Permission.SYNC),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
        await books.member(Permission.MANAGE_CONNECTIONS, scopes=frozenset({Permission.SYNC})),
    ):
        with pytest.raises(Forbidden):
            await delete_client(principal, client.id)
    for stranger in (other_books.admin, await books.of_client(other, ClientRole.ADMINISTRATOR)):
        with pytest.raises(NotFound):
            await delete_client(stranger, client.id)

    member = await books.member(Permission.MANAGE_CONNECTIONS)
    assert (await delete_client(member, client.id)).id == client.id


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


async def test_purging_twice_or_twice_at_once_tells_it_once(books: Books) -> None:
    for _ in range(10):
        client = await deleted(books)
        await release_all(books)
        await books.events()

        await asyncio.gather(*(purge(books.practice_id, client.id) for _ in range(4)))
        await purge(books.practice_id, client.id)

        assert await books.kinds() == ["CLIENT_PURGED"]


@pytest.mark.parametrize(
    "step", ["lock", "delete_batch", "uses", "waits_for", "delete_connections", "delete_client"]
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


async def test_a_client_that_is_deleted_while_it_is_connected_keeps_no_current_connection(
    books: Books,
) -> None:
    for _ in range(20):
        client, organisation_id = await books.client("Acme"), await books.organisation("Acme")

        results = await asyncio.gather(
            books.connected(client, organisation_id),
            delete_client(books.admin, client.id),
            return_exceptions=True,
        )

        assert isinstance(results[1], Client)
        assert results[0].__class__.__name__ in {"Connection", "NotFound"}, results[0]
        assert not isinstance(results[0], Refused) or "client" in str(results[0])
    assert await books.count("connection", "ended_at IS NULL") == 0
    assert await books.count("organisation", "client_id IS NOT NULL") == 0
