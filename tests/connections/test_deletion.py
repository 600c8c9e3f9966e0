"""A deleted client is gone for everybody at once, and its connections end."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
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
from tieline.practices.service import add_client_member
from tieline.principal import ClientAccess, ClientRole, Permission


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

    (told,) = await books.told(reader, cursor, ClientDeleted.kind)
    assert told.client_id == client.id


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
