"""Connecting one client: what is written, who may, and what each refusal says."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, LISTS, Books
from tieline.connections.repository import Connection
from tieline.connections.service import connect, disconnect, get_connection, get_organisations
from tieline.connections.states import MENDS_ITSELF, Reason, Status
from tieline.errors import (
    ConsentTooNarrow,
    DifferentOrganisation,
    Forbidden,
    NotFound,
    NotInThisLogin,
    OrganisationInUse,
    SignInNotReady,
    SignInOver,
)
from tieline.ids import ClientId, ConnectionId, OrganisationId, SignInId, new_id
from tieline.plugins import Product
from tieline.principal import ClientAccess, ClientRole, Permission, Principal


async def connecting(
    principal: Principal,
    sign_in_id: SignInId,
    client_id: ClientId,
    organisation_id: OrganisationId,
    product: Product = BOOKKEEPING,
) -> Connection:
    return await connect(
        principal, sign_in_id, client_id=client_id, product=product, organisation_id=organisation_id
    )


async def test_a_client_is_connected_with_an_event_and_a_sync_of_its_lists(books: Books) -> None:
    client = await books.client("Acme Ltd")
    organisation_id = await books.organisation("ACME Limited")
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, [organisation_id])
    await books.events()

    made = await connecting(books.admin, sign_in_id, client.id, organisation_id)

    assert (made.status, made.reason, made.mismatch) == (Status.CONNECTED, None, False)
    assert (made.provider, made.organisation_name) == ("pretend", "ACME Limited")
    assert (made.integrated_by, made.login) == (books.me, "somebody@ledger.invalid")
    assert await get_connection(books.admin, made.id) == made
    assert (await books.row("organisation", organisation_id))["client_id"] == client.id
    assert await books.events() == [
        (
            "CONNECTION_CONNECTED",
            {
                "connection_id": str(made.id),
                "organisation_id": str(organisation_id),
                "product": "BOOKKEEPING",
            },
        )
    ]
    (run,) = await books.runs()
    assert (run["organisation_id"], run["credential_id"]) == (organisation_id, credential_id)
    assert (tuple(run["feeds"]), run["trigger"], run["requested_by"]) == (LISTS, "CONNECT", books.me)


async def test_connecting_again_changes_nothing(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme")
    made = await books.connected(client, organisation_id)
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    theirs = await books.credential(colleague.person_id)
    sign_in_id = await books.sign_in(theirs, [organisation_id], person_id=colleague.person_id)
    await books.events()

    again = await connecting(colleague, sign_in_id, client.id, organisation_id)

    assert again == made
    assert await books.kinds() == []
    assert len(await books.runs()) == 1


async def test_another_name_is_a_mismatch_unless_the_legal_name_is_the_clients(books: Books) -> None:
    wrong = await books.connected(await books.client("Acme"), await books.organisation("Bolt"))
    legal = await books.connected(
        await books.client("Café Zoë"), await books.organisation("Trading As", legal_name="CAFE ZOE PLC")
    )

    assert (wrong.status, legal.status) == (Status.MISMATCH, Status.CONNECTED)


async def test_two_products_share_an_organisation_and_its_one_run(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme")

    await books.connected(client, organisation_id, BOOKKEEPING)
    await books.connected(client, organisation_id, DATA_HEALTH)

    (run,) = await books.runs()
    assert tuple(run["feeds"]) == ("accounts", "contacts", "reports")
    assert await books.count("connection", "ended_at IS NULL") == 2


async def test_a_connection_takes_the_place_of_a_disconnected_one_and_of_no_other(books: Books) -> None:
    client = await books.client("Acme")
    first, second = await books.organisations("First", "Second")
    before = await books.connected(client, first)

    with pytest.raises(DifferentOrganisation, match="First"):
        await books.connected(client, second)
    await books.expire(before, "CONSENT_EXPIRED")
    with pytest.raises(DifferentOrganisation):
        await books.connected(client, second)
    await disconnect(books.admin, before.id)
    await books.events()
    after = await books.connected(client, second)

    assert await books.kinds() == ["CONNECTION_ENDED", "CONNECTION_CONNECTED"]
    assert (await get_connection(books.admin, before.id)).ended_at is not None
    assert after.organisation_id == second
    assert (await books.row("organisation", first))["client_id"] is None


@pytest.mark.parametrize("reason", sorted({*Reason} - MENDS_ITSELF))
async def test_connecting_to_the_same_organisation_mends_whatever_was_wrong(
    books: Books, reason: Reason
) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme")
    before = await books.connected(client, organisation_id)
    if reason is Reason.DISCONNECTED:
        await disconnect(books.admin, before.id)
    else:
        await books.expire(before, reason)

    after = await books.connected(client, organisation_id)

    assert (after.id, after.reason, after.status) == (before.id, None, Status.CONNECTED)
    assert after.credential_id != before.credential_id
    assert (await books.row("organisation", organisation_id))["client_id"] == client.id


async def test_an_organisation_serves_one_client_and_names_it_to_who_may_see_it(books: Books) -> None:
    taken = await books.client("Taken Already")
    organisation_id = await books.organisation("Acme")
    await books.connected(taken, organisation_id)
    other = await books.client("Other")
    listed = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
        books.practice_id,
        listed.person_id,
        other.id,
    )
    credential_id = await books.credential(listed.person_id)
    theirs = await books.sign_in(credential_id, [organisation_id], person_id=listed.person_id)

    with pytest.raises(OrganisationInUse, match="Acme already serves the client Taken Already"):
        await books.connected(other, organisation_id)
    with pytest.raises(OrganisationInUse, match="Acme already serves another client of your practice"):
        await connecting(listed, theirs, other.id, organisation_id)


async def test_a_sign_in_is_good_for_what_it_reaches_and_for_what_was_consented_to(books: Books) -> None:
    client = await books.client("Acme")
    reached, beyond, private = await books.organisations("Reached", "Beyond", "Private")
    narrow = await books.sign_in(await books.credential(scopes=["ledger"]), [reached])
    dead = await books.sign_in(await books.credential(state="DEAD"), [reached])
    await books.sign_in(await books.credential(), [beyond])

    with pytest.raises(NotInThisLogin, match="Beyond"):
        await connecting(books.admin, narrow, client.id, beyond)
    with pytest.raises(NotInThisLogin, match="this organisation"):
        await connecting(books.admin, narrow, client.id, private)
    with pytest.raises(ConsentTooNarrow):
        await connecting(books.admin, narrow, client.id, reached, DATA_HEALTH)
    with pytest.raises(NotInThisLogin):
        await connecting(books.admin, dead, client.id, reached)
    with pytest.raises(NotFound, match="organisation"):
        await connecting(books.admin, narrow, client.id, OrganisationId(new_id()))
    with pytest.raises(NotFound, match="client"):
        await connecting(books.admin, narrow, ClientId(new_id()), reached)
    assert await books.count("connection") == 0


async def test_a_sign_in_works_once_completed_until_it_runs_out_and_for_its_own_person(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme")
    credential_id = await books.credential()
    started = await books.sign_in(credential_id, [], usable_for=None, state="STARTED")
    over = await books.sign_in(credential_id, [organisation_id], usable_for=timedelta(seconds=-1))
    fresh = await books.sign_in(credential_id, [organisation_id], state="STARTED")
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    machine = await books.calling(None, scopes=frozenset(Permission))

    with pytest.raises(SignInNotReady):
        await connecting(books.admin, started, client.id, organisation_id)
    with pytest.raises(SignInOver):
        await connecting(books.admin, over, client.id, organisation_id)
    for stranger in (colleague, machine):
        with pytest.raises(NotFound, match="sign-in"):
            await connecting(stranger, fresh, client.id, organisation_id)

    assert (await connecting(books.admin, fresh, client.id, organisation_id)).reason is None


async def test_who_may_connect(books: Books) -> None:
    client, foreign = await books.client("Acme"), await books.client("Foreign")
    organisations = await books.organisations(*(f"Acme {number}" for number in range(8)))
    narrowed = frozenset({Permission.SYNC})
    may = [
        await books.member(Permission.MANAGE_CONNECTIONS),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
    ]
    may_not = [
        await books.member(Permission.SYNC, Permission.PUBLISH),
        await books.member(Permission.MANAGE_CONNECTIONS, scopes=narrowed),
        await books.of_client(client, ClientRole.READER),
    ]

    for principal in may_not:
        sign_in_id = await books.sign_in(
            await books.credential(principal.person_id), organisations, person_id=principal.person_id
        )
        with pytest.raises(Forbidden):
            await connecting(principal, sign_in_id, client.id, organisations[0])
    for principal in may:
        sign_in_id = await books.sign_in(
            await books.credential(principal.person_id), organisations, person_id=principal.person_id
        )
        made = await connecting(principal, sign_in_id, client.id, organisations[0])
        assert (await disconnect(principal, made.id)).reason is Reason.DISCONNECTED
    with pytest.raises(NotFound):
        await connecting(may[1], sign_in_id, foreign.id, organisations[1])


async def test_what_is_connected_is_seen_by_who_sees_the_client(books: Books, other_books: Books) -> None:
    client, foreign = await books.client("Acme"), await books.client("Foreign")
    organisation_id = await books.organisation("Acme")
    made = await books.connected(client, organisation_id)
    reader = await books.of_client(client, ClientRole.READER)
    stranger = await books.of_client(foreign, ClientRole.ADMINISTRATOR)

    assert await get_connection(reader, made.id) == made
    assert set(await get_organisations(reader, [organisation_id])) == {organisation_id}
    for nobody in (stranger, other_books.admin):
        with pytest.raises(NotFound):
            await get_connection(nobody, made.id)
        with pytest.raises(NotFound):
            await disconnect(nobody, made.id)
        assert await get_organisations(nobody, [organisation_id]) == {}
    with pytest.raises(Forbidden):
        await disconnect(reader, made.id)
    with pytest.raises(NotFound):
        await disconnect(books.admin, ConnectionId(new_id()))


async def test_the_database_itself_refuses_an_organisation_for_two_clients(books: Books) -> None:
    organisation_id = await books.organisation("Acme")
    made = await books.connected(await books.client("Acme"), organisation_id)
    other = await books.client("Other")
    insert = (
        "INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, mismatch, "
        "connected_at, changed_at) SELECT gen_random_uuid(), practice_id, $2, $3, organisation_id, credential_id, "
        "false, connected_at, changed_at FROM connection WHERE id = $1"
    )

    with pytest.raises(asyncpg.ForeignKeyViolationError, match="connection_holds_for_its_client"):
        await books.sql.execute(insert, made.id, other.id, "DATA_HEALTH")
    with pytest.raises(asyncpg.UniqueViolationError, match="connection_current_once"):
        await books.sql.execute(insert, made.id, made.client_id, "BOOKKEEPING")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="connection_holds_for_its_client"):
        await books.sql.execute("UPDATE organisation SET client_id = NULL WHERE id = $1", organisation_id)
