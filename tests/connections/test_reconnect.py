"""Reconnecting and disconnecting one connection."""

from __future__ import annotations

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.connections.decisions import Asked
from tieline.connections.repository import Connection
from tieline.connections.service import bulk_connect, connect, disconnect, reconnect
from tieline.connections.states import MENDS_ITSELF, Reason, Status
from tieline.errors import (
    ConsentTooNarrow,
    DifferentOrganisation,
    Forbidden,
    NotFound,
    NotInThisLogin,
    OrganisationInUse,
)
from tieline.ids import ConnectionId, new_id
from tieline.principal import ClientRole, Permission


async def connected(books: Books) -> Connection:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    await books.sql.execute("DELETE FROM sync_run WHERE practice_id = $1", books.practice_id)
    await books.events()
    return made


@pytest.mark.parametrize("reason", sorted({*Reason} - MENDS_ITSELF))
async def test_reconnecting_mends_every_reason_and_syncs(books: Books, reason: Reason) -> None:
    made = await connected(books)
    if reason is Reason.DISCONNECTED:
        await disconnect(books.admin, made.id)
        await books.events()
    else:
        await books.expire(made, reason)
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, [made.organisation_id])

    mended = await reconnect(books.admin, made.id, sign_in_id)

    assert (mended.id, mended.status, mended.credential_id) == (made.id, Status.CONNECTED, credential_id)
    assert mended.connected_at == made.connected_at
    assert await books.kinds() == ["CONNECTION_CONNECTED"]
    assert [run["trigger"] for run in await books.runs()] == ["RECONNECT"]
    assert (await books.row("organisation", made.organisation_id))["client_id"] == made.client_id


async def test_what_is_fine_stays_as_it_is_or_moves_to_the_callers_credential(books: Books) -> None:
    made = await connected(books)
    same = await books.sign_in(made.credential_id, [made.organisation_id])
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    theirs = await books.sign_in(
        await books.credential(colleague.person_id), [made.organisation_id], person_id=colleague.person_id
    )

    unchanged = await reconnect(books.admin, made.id, same)
    kinds, runs = await books.kinds(), await books.runs()
    moved = await reconnect(colleague, made.id, theirs)

    assert (unchanged, kinds, runs) == (made, [], [])
    assert (made.integrated_by, moved.integrated_by) == (books.me, colleague.person_id)
    assert await books.kinds() == ["CONNECTION_CONNECTED"]


async def test_what_connections_move_away_from_is_let_go_of_once_each(books: Books) -> None:
    """The job looks itself whether anything else uses it."""
    clients = [await books.client("A"), await books.client("B"), await books.client("C")]
    organisations = await books.organisations("A", "B", "C")
    old, same = await books.credential(), await books.credential()
    before = await books.sign_in(old, organisations[:2])
    stays = await books.sign_in(same, organisations[2:])
    rows = [
        Asked(client_id=client.id, organisation_id=organisation_id)
        for client, organisation_id in zip(clients, organisations, strict=True)
    ]
    await bulk_connect(books.admin, before, BOOKKEEPING, rows[:2])
    await bulk_connect(books.admin, stays, BOOKKEEPING, rows[2:])
    await books.sql.execute(
        "UPDATE connection SET reason = 'TOKEN_EXPIRED' WHERE practice_id = $1", books.practice_id
    )
    new = await books.sign_in(await books.credential(), organisations[:2])

    await bulk_connect(books.admin, new, BOOKKEEPING, rows[:2])
    await bulk_connect(books.admin, stays, BOOKKEEPING, rows[2:])

    assert await books.jobs("credentials.let_go_credential") == [
        {"practice_id": str(books.practice_id), "credential_id": str(old)}
    ]


async def test_another_organisation_is_refused(books: Books) -> None:
    made = await connected(books)
    await books.expire(made, "ACCESS_LOST")
    other = await books.organisation("Other")
    credential_id = await books.credential()
    different = await books.sign_in(credential_id, [other])
    nothing = await books.sign_in(credential_id, [])
    narrow = await books.sign_in(await books.credential(scopes=[]), [made.organisation_id])

    with pytest.raises(DifferentOrganisation, match="Acme; to move it to another") as other_books:
        await reconnect(books.admin, made.id, different)
    with pytest.raises(NotInThisLogin, match="Acme") as unreached:
        await reconnect(books.admin, made.id, nothing)
    with pytest.raises(ConsentTooNarrow) as too_narrow:
        await reconnect(books.admin, made.id, narrow)
    refusals = [caught.value.field for caught in (other_books, unreached, too_narrow)]
    assert refusals == ["signInId"] * 3
    assert (await books.row("connection", made.id))["reason"] == "ACCESS_LOST"


async def test_a_disconnected_connection_comes_back_only_while_its_organisation_is_free(books: Books) -> None:
    made = await connected(books)
    await disconnect(books.admin, made.id)
    await books.connected(await books.client("Successor"), made.organisation_id)
    sign_in_id = await books.sign_in(await books.credential(), [made.organisation_id])

    with pytest.raises(OrganisationInUse, match="Successor") as refused:
        await reconnect(books.admin, made.id, sign_in_id)
    assert refused.value.field == "signInId"


async def test_who_may_reconnect_and_disconnect(books: Books, other_books: Books) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("Acme"))
    sign_in_id = await books.sign_in(await books.credential(), [made.organisation_id])
    for principal in (
        await books.member(Permission.SYNC),
        await books.of_client(client, ClientRole.READER),
        await books.calling(None, scopes=frozenset({Permission.SYNC})),
    ):
        with pytest.raises(Forbidden):
            await reconnect(principal, made.id, sign_in_id)
        with pytest.raises(Forbidden):
            await disconnect(principal, made.id)
    for asked in (made.id, ConnectionId(new_id())):
        with pytest.raises(NotFound, match="connection"):
            await reconnect(other_books.admin, asked, sign_in_id)
    machine = await books.calling(None, scopes=frozenset({Permission.MANAGE_CONNECTIONS}))
    administrator = await books.of_client(client, ClientRole.ADMINISTRATOR)

    assert (await disconnect(administrator, made.id)).status is Status.EXPIRED
    assert (await disconnect(machine, made.id)).reason is Reason.DISCONNECTED


async def test_a_connection_that_has_ended_cannot_be_acted_on(books: Books) -> None:
    made = await connected(books)
    await disconnect(books.admin, made.id)
    await books.connected(made.client_id, await books.organisation("Next"))
    sign_in_id = await books.sign_in(await books.credential(), [made.organisation_id])

    with pytest.raises(NotFound, match="connection"):
        await disconnect(books.admin, made.id)
    with pytest.raises(NotFound, match="connection"):
        await reconnect(books.admin, made.id, sign_in_id)


async def test_disconnecting_stops_one_of_many(books: Books) -> None:
    clients = await books.clients(25)
    organisations = await books.organisations(*(f"Client {number:05}" for number in range(25)))
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, organisations)
    made = [
        await connect(
            books.admin,
            sign_in_id,
            client_id=client_id,
            product=BOOKKEEPING,
            organisation_id=organisation_id,
        )
        for client_id, organisation_id in zip(clients, organisations, strict=True)
    ]
    await books.events()

    gone = await disconnect(books.admin, made[7].id)
    again = await disconnect(books.admin, made[7].id)

    assert (gone.reason, gone.status, gone.ended_at) == (Reason.DISCONNECTED, Status.EXPIRED, None)
    assert again == gone
    assert await books.kinds() == ["CONNECTION_DISCONNECTED"]
    assert await books.count("connection", "status = 'CONNECTED'") == 24
    assert (await books.row("organisation", organisations[7]))["client_id"] is None
    assert await books.count("organisation", "client_id IS NOT NULL") == 24
    (cancelled,) = await books.runs("CANCELLED")
    assert (cancelled["organisation_id"], cancelled["reason"]) == (organisations[7], "DISCONNECTED")
    assert await books.jobs("credentials.release_organisation") == [
        {
            "practice_id": str(books.practice_id),
            "credential_id": str(credential_id),
            "organisation_id": str(organisations[7]),
        }
    ]


async def test_an_organisation_is_free_when_its_last_product_is_disconnected(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme")
    one = await books.connected(client, organisation_id, BOOKKEEPING)
    other = await books.connected(client, organisation_id, DATA_HEALTH)

    await disconnect(books.admin, one.id)
    halfway = (await books.row("organisation", organisation_id))["client_id"], len(await books.runs())
    await disconnect(books.admin, other.id)

    assert halfway == (client.id, 1)
    assert (await books.row("organisation", organisation_id))["client_id"] is None
    assert await books.runs() == []
