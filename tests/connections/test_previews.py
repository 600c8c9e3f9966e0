"""What callers are told before they disconnect: who else uses the sign-in, as far as they may know; what it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline import clock
from tieline.clients.repository import Client
from tieline.clients.service import delete_client
from tieline.connections.previews import service
from tieline.connections.previews.service import preview_disconnect
from tieline.connections.repository import Connection
from tieline.connections.service import disconnect, get_connection
from tieline.errors import Forbidden, NotFound
from tieline.ids import CredentialId, new_id
from tieline.plugins import Product
from tieline.principal import ClientAccess, ClientRole, Permission, Principal


async def on(
    books: Books, credential_id: CredentialId, name: str, *products: Product
) -> tuple[Client, list[Connection]]:
    """A client whose products all hang on this credential, at one organisation; BOOKKEEPING unless they are named."""
    client, organisation_id = await books.client(name), await books.organisation(name)
    made = [await books.connected(client, organisation_id, product) for product in products or (BOOKKEEPING,)]
    await books.sql.execute(
        "UPDATE connection SET credential_id = $2 WHERE client_id = $1", client.id, credential_id
    )
    return client, [replace(each, credential_id=credential_id) for each in made]


async def no_sign_in_is_usable(books: Books) -> None:
    await books.sql.execute("DELETE FROM sign_in WHERE practice_id = $1", books.practice_id)


async def listed(books: Books, *clients: Client) -> Principal:
    """A member who may disconnect, and sees these alone."""
    member = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) SELECT $1, $2, unnest($3::uuid[])",
        books.practice_id,
        member.person_id,
        [client.id for client in clients],
    )
    return member


async def test_who_shares_the_sign_in_is_told_by_name_and_who_does_not_is_left_out(books: Books) -> None:
    shared = await books.credential()
    _, (mine, own) = await on(books, shared, "Acme", BOOKKEEPING, DATA_HEALTH)
    zebra, _ = await on(books, shared, "Zebra", BOOKKEEPING, DATA_HEALTH)
    apple, _ = await on(books, shared, "Äpple")
    _, (gone,) = await on(books, shared, "Disconnected")
    await disconnect(books.admin, gone.id)
    deleted, _ = await on(books, shared, "Deleted")
    await delete_client(books.admin, deleted.id)
    await on(books, await books.credential(), "On another sign-in")

    preview = await preview_disconnect(books.admin, mine.id)

    assert preview.connection == await get_connection(books.admin, mine.id)
    assert preview.sharing.clients == (apple, zebra)
    assert (preview.sharing.hidden, preview.sharing.total) == (0, 2)
    assert [each.id for each in preview.other_products] == [own.id]


async def test_clients_that_the_caller_does_not_see_are_a_count(books: Books) -> None:
    shared = await books.credential()
    acme, (mine,) = await on(books, shared, "Acme")
    bolt, _ = await on(books, shared, "Bolt")
    await on(books, shared, "Crane")
    await on(books, shared, "Dune")
    member = await listed(books, acme, bolt)
    administrator = await books.of_client(acme, ClientRole.ADMINISTRATOR)

    partly = (await preview_disconnect(member, mine.id)).sharing
    alone = (await preview_disconnect(administrator, mine.id)).sharing

    assert ([client.id for client in partly.clients], partly.hidden, partly.total) == ([bolt.id], 2, 3)
    assert (alone.clients, alone.hidden, alone.total) == ((), 3, 3)


async def test_the_first_names_are_given_and_all_are_counted(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = await books.credential()
    _, (mine,) = await on(books, shared, "Acme")
    bolt, _ = await on(books, shared, "Bolt")
    crane, _ = await on(books, shared, "Crane")
    await on(books, shared, "Dune")
    monkeypatch.setattr(service, "MAX_NAMES", 2)

    sharing = (await preview_disconnect(books.admin, mine.id)).sharing

    assert (sharing.clients, sharing.hidden, sharing.total) == ((bolt, crane), 0, 3)


async def test_what_is_let_go_of_is_what_nothing_else_uses(books: Books) -> None:
    shared = await books.credential()
    _, (mine, own) = await on(books, shared, "Acme", BOOKKEEPING, DATA_HEALTH)
    _, (other,) = await on(books, shared, "Bolt")
    await no_sign_in_is_usable(books)

    async def told() -> tuple[bool, bool]:
        preview = await preview_disconnect(books.admin, mine.id)
        assert preview.keeps_until is None
        return preview.releases_organisation, preview.ends_consent

    with_both = await told()
    await disconnect(books.admin, own.id)
    with_a_stranger = await told()
    await disconnect(books.admin, other.id)
    alone = await told()

    assert [with_both, with_a_stranger, alone] == [(False, False), (True, False), (True, True)]


async def test_a_sign_in_that_can_be_used_keeps_the_organisation_for_as_long(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    until = clock.now() + timedelta(hours=3)
    await books.sql.execute(
        "UPDATE sign_in SET usable_until = $2 WHERE practice_id = $1", books.practice_id, until
    )

    preview = await preview_disconnect(books.admin, made.id)

    assert (preview.releases_organisation, preview.ends_consent, preview.keeps_until) == (True, True, until)


async def test_so_does_somebody_who_may_still_come_back_from_a_consent_page_of_the_app(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    out = await books.sign_in(await books.credential(), [], usable_for=None, state="STARTED")
    at, until = clock.now(), clock.now() + timedelta(hours=30)
    await books.sql.execute(
        "INSERT INTO consent_round (id, practice_id, sign_in_id, state_hash, verifier_sealed, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, '', $5, $6)",
        new_id(),
        books.practice_id,
        out,
        new_id().bytes,
        at,
        until,
    )

    assert (await preview_disconnect(books.admin, made.id)).keeps_until == until


async def test_disconnecting_what_is_disconnected_lets_go_of_nothing(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    await disconnect(books.admin, made.id)

    preview = await preview_disconnect(books.admin, made.id)

    assert (preview.releases_organisation, preview.ends_consent, preview.keeps_until) == (False, False, None)


async def test_a_preview_changes_nothing_and_waits_for_nobody(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    before = await books.row("connection", made.id)
    await books.events()

    async with books.sql.transaction():
        await books.sql.execute("SELECT FROM client WHERE id = $1 FOR UPDATE", made.client_id)
        await books.sql.execute("SELECT FROM connection WHERE id = $1 FOR UPDATE", made.id)
        await preview_disconnect(books.admin, made.id)

    assert await books.row("connection", made.id) == before
    assert await books.events() == []


async def test_who_may_not_disconnect_is_told_nothing(books: Books, other_books: Books) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("Acme"))
    old = await books.connected(await books.client("Old"), await books.organisation("Old"))
    await books.sql.execute(
        "UPDATE connection SET ended_at = connected_at, reason = 'DISCONNECTED' WHERE id = $1", old.id
    )

    for principal in (
        await books.member(Permission.SYNC),
        await books.of_client(client, ClientRole.READER),
        await books.member(Permission.MANAGE_CONNECTIONS, scopes=frozenset({Permission.SYNC})),
    ):
        with pytest.raises(Forbidden):
            await preview_disconnect(principal, made.id)
    for stranger in (other_books.admin, await listed(books)):
        with pytest.raises(NotFound, match="connection"):
            await preview_disconnect(stranger, made.id)
    with pytest.raises(NotFound, match="connection"):
        await preview_disconnect(books.admin, old.id)
