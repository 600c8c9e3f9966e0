"""Lists of connections: what a caller sees of them, filtered and paged."""

from __future__ import annotations

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.connections.listing.service import list_connections
from tieline.connections.service import connections_of_clients, disconnect
from tieline.connections.states import Status
from tieline.errors import CursorInvalid
from tieline.ids import ClientId, new_id
from tieline.pages import Direction
from tieline.principal import ClientRole


async def test_paged_to_the_end_they_stand_by_client_name(books: Books) -> None:
    names = ["Zoë", "acme", "Éclair", "Acme", "Bolt"]
    made = [await books.connected(await books.client(name), await books.organisation(name)) for name in names]
    wanted = {
        Direction.ASC: [made[1], made[3], made[4], made[2], made[0]],
        Direction.DESC: [made[0], made[2], made[4], made[3], made[1]],
    }

    for direction, order in wanted.items():
        page = await list_connections(books.admin, direction=direction, first=2)
        found = list(page.rows)
        while page.has_next:
            page = await list_connections(books.admin, direction=direction, first=2, after=page.cursors[-1])
            found += page.rows
        assert found == order
        assert page.total == 5
    with pytest.raises(CursorInvalid):
        await list_connections(books.admin, products=[BOOKKEEPING], after=page.cursors[0])


async def test_each_filter_leaves_what_it_says(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme")
    one = await books.connected(client, organisation_id, BOOKKEEPING)
    other = await books.connected(client, organisation_id, DATA_HEALTH)
    wrong = await books.connected(await books.client("Bolt"), await books.organisation("Wrong"))
    gone = await books.connected(await books.client("Gone"), await books.organisation("Gone"))
    await disconnect(books.admin, gone.id)
    colleague = await books.member()
    await books.sql.execute(
        "UPDATE credential SET person_id = $2 WHERE id = $1", other.credential_id, colleague.person_id
    )

    async def found(**query: object) -> set[object]:
        page = await list_connections(books.admin, **query)  # type: ignore[arg-type]
        assert page.total == len(page.rows)
        return {row.id for row in page.rows}

    assert await found() == {one.id, other.id, wrong.id, gone.id}
    assert await found(products=[DATA_HEALTH]) == {other.id}
    assert await found(providers=["feigned"]) == set()
    assert await found(statuses=[Status.CONNECTED]) == {one.id, other.id, wrong.id}
    assert await found(statuses=[Status.MISMATCH]) == {wrong.id}
    assert await found(statuses=[Status.EXPIRED]) == {gone.id}
    assert await found(integrated_by=colleague.person_id) == {other.id}
    assert await found(credential_id=one.credential_id) == {one.id}
    assert await found(organisation_id=organisation_id) == {one.id, other.id}
    assert await found(search="bol") == {wrong.id}
    assert await found(search="acme", products=[BOOKKEEPING], providers=["pretend"]) == {one.id}


async def test_a_caller_sees_those_of_its_clients(books: Books, other_books: Books) -> None:
    client, foreign = await books.client("Acme"), await books.client("Foreign")
    made = await books.connected(client, await books.organisation("Acme"))
    theirs = await books.connected(foreign, await books.organisation("Foreign"))
    reader = await books.of_client(client, ClientRole.READER)
    unknown = ClientId(new_id())

    assert [row.id for row in (await list_connections(reader)).rows] == [made.id]
    assert (await list_connections(other_books.admin)).total == 0
    assert await connections_of_clients(reader, [client.id, foreign.id, unknown]) == {
        client.id: [made],
        foreign.id: [],
        unknown: [],
    }
    assert await connections_of_clients(books.admin, [foreign.id]) == {foreign.id: [theirs]}
