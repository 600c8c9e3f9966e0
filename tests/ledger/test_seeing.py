"""Who may read the records of a connection: whoever sees its client, while the books are not somebody else's by now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.ledger.shelf import Row, page_of, put, put_aside
from tests.support.books import DATA_HEALTH, Books
from tieline.clients.repository import Client
from tieline.clients.service import delete_client
from tieline.connections.repository import Connection
from tieline.connections.service import disconnect
from tieline.errors import NotFound, OrganisationInUse
from tieline.ids import ConnectionId, new_id
from tieline.ledger.datasets import Dataset
from tieline.ledger.service import list_documents, list_records, list_set_aside
from tieline.principal import ClientAccess, ClientRole, Permission, Principal

CONTACTS, BILLS = Dataset.CONTACTS, Dataset.BILLS
Maker = Callable[[Books, Client], Awaitable[Principal]]


async def filled(books: Books, client: Client) -> Connection:
    """A connection of this client, and one record of each kind."""
    connection = await books.connected(client, await books.organisation(client.name))
    await put(
        books, connection.organisation_id, [Row(dataset=dataset, external_id="1") for dataset in Dataset]
    )
    await put_aside(books, connection.organisation_id, ["bad"])
    return connection


async def listed(books: Books, client: Client) -> Principal:
    member = await books.member(clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
        books.practice_id,
        member.person_id,
        client.id,
    )
    return member


async def admin(books: Books, _: Client) -> Principal:
    return books.admin


async def member(books: Books, _: Client) -> Principal:
    return await books.member()


async def service(books: Books, _: Client) -> Principal:
    return await books.calling(None, scopes=frozenset({Permission.SYNC}))


async def narrowed(books: Books, _: Client) -> Principal:
    return await books.member(*Permission, scopes=frozenset())


async def reader(books: Books, client: Client) -> Principal:
    return await books.of_client(client, ClientRole.READER)


async def administrator(books: Books, client: Client) -> Principal:
    return await books.of_client(client, ClientRole.ADMINISTRATOR)


@pytest.mark.parametrize("maker", [admin, member, service, narrowed, listed, reader, administrator])
async def test_whoever_sees_the_client_reads_its_records(books: Books, maker: Maker) -> None:
    client = await books.client("Acme")
    connection = await filled(books, client)
    caller = await maker(books, client)

    for dataset in Dataset:
        page = await page_of(caller, connection, dataset)
        assert [each.external_id for each in page.rows] == ["1"]
    assert [each.external_id for each in await list_set_aside(caller, connection.id)] == ["bad"]


@pytest.mark.parametrize("maker", [listed, reader, administrator])
async def test_whoever_sees_other_clients_alone_finds_no_connection(books: Books, maker: Maker) -> None:
    connection = await filled(books, await books.client("Acme"))
    caller = await maker(books, await books.client("Bolt"))

    await assert_unseen(caller, connection.id)


async def test_another_practice_finds_no_connection_nor_does_anybody_one_that_is_not(
    books: Books, other_books: Books
) -> None:
    connection = await filled(books, await books.client("Acme"))

    await assert_unseen(other_books.admin, connection.id)
    await assert_unseen(books.admin, ConnectionId(new_id()))


async def test_with_its_client_the_connection_is_gone(books: Books) -> None:
    connection = await filled(books, await books.client("Acme"))
    await delete_client(books.admin, connection.client_id)

    await assert_unseen(books.admin, connection.id)


async def test_records_stay_when_the_connection_is_disconnected_and_when_it_ends(books: Books) -> None:
    client = await books.client("Acme")
    connection = await filled(books, client)
    await disconnect(books.admin, connection.id)
    assert (await page_of(books.admin, connection, CONTACTS)).total == 1

    after = await books.connected(client, await books.organisation("Acme Trading"))

    assert (await books.row("connection", connection.id))["ended_at"] is not None
    assert (await page_of(books.admin, connection, CONTACTS)).total == 1
    assert (await page_of(await reader(books, client), connection, BILLS)).total == 1
    assert (await page_of(books.admin, after, CONTACTS)).total == 0


async def test_both_products_show_the_same_books(books: Books) -> None:
    client = await books.client("Acme")
    connection = await filled(books, client)
    other = await books.connected(client, connection.organisation_id, DATA_HEALTH)

    assert (await page_of(books.admin, other, BILLS)).total == 1


async def test_books_that_serve_another_client_by_now_are_only_for_those_who_see_it_too(books: Books) -> None:
    wrong, right = await books.client("Wrong"), await books.client("Right")
    before = await filled(books, wrong)
    await disconnect(books.admin, before.id)
    await books.connected(right, before.organisation_id)

    for caller in (await listed(books, wrong), await administrator(books, wrong)):
        with pytest.raises(OrganisationInUse, match="another client of your practice"):
            await page_of(caller, before, CONTACTS)
        with pytest.raises(OrganisationInUse):
            await list_set_aside(caller, before.id)
    assert (await page_of(books.admin, before, CONTACTS)).total == 1


async def assert_unseen(caller: Principal, connection_id: ConnectionId) -> None:
    for reading in (
        list_records(caller, connection_id, CONTACTS),
        list_documents(caller, connection_id),
        list_set_aside(caller, connection_id),
    ):
        with pytest.raises(NotFound) as refused:
            await reading
        assert refused.value.field == "connectionId"
