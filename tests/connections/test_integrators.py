"""On whose consents clients hang: counted by person and provider, of the clients that the caller sees."""

from __future__ import annotations

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.plans import sent_by
from tieline.clients.service import delete_client
from tieline.connections.changing import change_connection
from tieline.connections.integrators.repository import Integrator
from tieline.connections.integrators.service import list_integrators
from tieline.connections.service import connect, disconnect
from tieline.errors import NotFound
from tieline.ids import ClientId, ConnectionId, CredentialId, OrganisationId
from tieline.plugins import Product
from tieline.principal import ClientAccess, ClientRole, Permission, Principal


async def integrate(
    books: Books,
    whose: Principal,
    client_id: ClientId,
    organisation_id: OrganisationId,
    product: Product = BOOKKEEPING,
    *,
    login: str | None = "somebody@ledger.invalid",
    provider: str = "pretend",
) -> CredentialId:
    credential_id = await books.credential(whose.person_id, provider=provider)
    await books.sql.execute("UPDATE credential SET login = $2 WHERE id = $1", credential_id, login)
    sign_in_id = await books.sign_in(
        credential_id, [organisation_id], person_id=whose.person_id, provider=provider
    )
    await connect(whose, sign_in_id, client_id=client_id, product=product, organisation_id=organisation_id)
    return credential_id


async def of_product(books: Books, product: Product) -> list[ConnectionId]:
    found = await books.sql.fetch(
        "SELECT id FROM connection WHERE practice_id = $1 AND product = $2", books.practice_id, product.value
    )
    return [row["id"] for row in found]


def integrator(
    person: Principal, provider: str, *logins: str, counts: tuple[int, int, int, int]
) -> Integrator:
    assert person.person_id is not None
    clients, connections, expired, disconnected = counts
    return Integrator(
        person_id=person.person_id,
        provider=provider,
        logins=logins,
        clients=clients,
        connections=connections,
        expired=expired,
        disconnected=disconnected,
    )


async def test_they_are_counted_by_person_and_provider_whoever_has_most_first(books: Books) -> None:
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    a, b, c, gone = [(await books.client(name)).id for name in ("A", "B", "C", "Gone")]
    first, second, third, fourth, fifth = await books.organisations("1", "2", "3", "4", "5")
    [abroad] = await books.organisations("6", provider="feigned")
    await integrate(books, colleague, a, first, login="b@ledger.invalid")
    await integrate(books, colleague, a, first, DATA_HEALTH, login="a@ledger.invalid")
    expired = await integrate(books, colleague, b, second, login=None)
    await integrate(books, books.admin, c, third, login="me@ledger.invalid")
    await integrate(
        books, books.admin, b, abroad, DATA_HEALTH, provider="feigned", login="me@feigned.invalid"
    )
    await integrate(books, books.admin, gone, fifth)
    await delete_client(books.admin, gone)
    await books.sql.execute(
        "UPDATE connection SET reason = 'TOKEN_EXPIRED' WHERE credential_id = $1", expired
    )

    everybody = await list_integrators(books.admin)

    mine = [each for each in everybody if each.person_id == books.me]
    assert everybody[0] == integrator(
        colleague, "pretend", "a@ledger.invalid", "b@ledger.invalid", counts=(2, 3, 1, 0)
    )
    assert mine == [
        integrator(books.admin, "feigned", "me@feigned.invalid", counts=(1, 1, 0, 0)),
        integrator(books.admin, "pretend", "me@ledger.invalid", counts=(1, 1, 0, 0)),
    ]
    assert len(everybody) == 3
    assert [each.provider for each in await list_integrators(books.admin, provider="feigned")] == ["feigned"]

    moved = await books.sign_in(await books.credential(), [fourth])
    connection_id = await books.sql.fetchval(
        "SELECT id FROM connection WHERE client_id = $1 AND ended_at IS NULL", c
    )
    await change_connection(books.admin, connection_id, moved, fourth)
    assert [each.connections for each in await list_integrators(books.admin)] == [3, 1, 1]


async def test_what_a_person_disconnected_hangs_on_nobody(books: Books) -> None:
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    kept, gone, moved = [(await books.client(name)).id for name in ("Kept", "Gone", "Moved")]
    first, second, third = await books.organisations("1", "2", "3")
    await integrate(books, colleague, kept, first, login="kept@ledger.invalid")
    for client_id, organisation_id in ((kept, first), (gone, second)):
        await integrate(
            books, colleague, client_id, organisation_id, DATA_HEALTH, login="gone@ledger.invalid"
        )
    await integrate(books, books.admin, moved, third)
    for each in await of_product(books, DATA_HEALTH):
        await disconnect(books.admin, each)

    before = await list_integrators(books.admin)
    for each in await of_product(books, BOOKKEEPING):
        await disconnect(books.admin, each)

    assert [each for each in before if each.person_id == colleague.person_id] == [
        integrator(colleague, "pretend", "kept@ledger.invalid", counts=(1, 1, 0, 2))
    ]
    assert await list_integrators(books.admin) == []


async def test_only_what_hangs_of_clients_that_the_caller_sees_is_counted(
    books: Books, other_books: Books
) -> None:
    seen, hidden = await books.client("Seen"), await books.client("Hidden")
    for client in (seen, hidden):
        await integrate(books, books.admin, client.id, await books.organisation(client.name))
    theirs = await other_books.client("Theirs")
    await integrate(other_books, other_books.admin, theirs.id, await other_books.organisation("Theirs"))
    reader = await books.of_client(seen, ClientRole.READER)
    listed = await books.member(clients=ClientAccess.LISTED)

    assert [each.connections for each in await list_integrators(books.admin)] == [2]
    assert [each.connections for each in await list_integrators(reader)] == [1]
    assert await list_integrators(listed) == []


async def test_an_unknown_provider_is_named(books: Books) -> None:
    with pytest.raises(NotFound, match="xeor") as refused:
        await list_integrators(books.admin, provider="xeor")

    assert refused.value.field == "provider"


async def test_they_are_one_statement(books: Books) -> None:
    sent = await sent_by(lambda: list_integrators(books.admin))

    assert len(sent.data) == 1
