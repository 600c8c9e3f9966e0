"""What callers are told before they delete a client: as much as the purge then removes."""

from __future__ import annotations

import pytest

from tests.ledger.shelf import Row, put
from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.clients.previews.repository import Belongings
from tieline.clients.previews.service import preview_deletion
from tieline.clients.purging.service import purge
from tieline.clients.service import delete_client
from tieline.connections.service import disconnect
from tieline.errors import Forbidden, NotFound
from tieline.ids import OrganisationId
from tieline.ledger.datasets import Dataset
from tieline.principal import ClientAccess, ClientRole, Permission


async def synced(books: Books, organisation_id: OrganisationId, *ids: str) -> None:
    """As if a sync had brought records of these ids."""
    rows = [Row(dataset=Dataset.INVOICES, external_id=each) for each in ids]
    await put(books, organisation_id, rows)


async def test_what_is_told_is_what_the_purge_removes_and_what_others_use_stays(books: Books) -> None:
    client, other = await books.client("Acme"), await books.client("Other")
    handed_on, own = await books.organisations("Handed on", "Own")
    await disconnect(books.admin, (await books.connected(client, handed_on)).id)
    await books.connected(other, handed_on)
    for product in (BOOKKEEPING, DATA_HEALTH):
        await books.connected(client, own, product)
    await synced(books, handed_on, "theirs")
    await synced(books, own, "1", "2", "3")
    await books.of_client(client, ClientRole.READER)
    await books.of_client(other, ClientRole.READER)
    before = [await books.count(table) for table in ("connection", "ledger_record", "sync_run")]

    preview = await preview_deletion(books.admin, client.id)
    await delete_client(books.admin, client.id)
    await books.sql.execute("DELETE FROM job WHERE practice_id = $1", books.practice_id)
    await purge(books.practice_id, client.id)
    after = [await books.count(table) for table in ("connection", "ledger_record", "sync_run")]

    assert preview.client == client
    assert preview.belongings == Belongings(
        connections=3, organisations_freed=1, organisations_kept=1, records=3, sync_runs=1, people=1
    )
    assert [was - now for was, now in zip(before, after, strict=True)] == [3, 3, 1]


async def test_a_client_without_anything_has_nothing_to_remove(books: Books) -> None:
    client = await books.client("Acme")

    assert (await preview_deletion(books.admin, client.id)).belongings == Belongings(
        connections=0, organisations_freed=0, organisations_kept=0, records=0, sync_runs=0, people=0
    )


async def test_who_may_not_delete_is_told_nothing(books: Books, other_books: Books) -> None:
    client, other = await books.client("Acme"), await books.client("Other")
    for principal in (
        await books.member(Permission.SYNC),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
        await books.member(Permission.MANAGE_CONNECTIONS, scopes=frozenset({Permission.SYNC})),
    ):
        with pytest.raises(Forbidden):
            await preview_deletion(principal, client.id)
    for stranger in (
        other_books.admin,
        await books.of_client(other, ClientRole.ADMINISTRATOR),
        await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED),
    ):
        with pytest.raises(NotFound, match="client"):
            await preview_deletion(stranger, client.id)
    await delete_client(books.admin, client.id)
    with pytest.raises(NotFound, match="client"):
        await preview_deletion(books.admin, client.id)
