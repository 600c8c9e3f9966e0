"""Whether names agree stays true, whichever of them changes."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.clients.service import rename_client
from tieline.connections.board.service import list_board
from tieline.connections.mismatches import remismatch_organisations
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.service import accept_mismatch, disconnect, get_connection, reconnect
from tieline.connections.states import Status
from tieline.errors import Forbidden, NotFound
from tieline.ids import OrganisationId
from tieline.plugins import OrganisationDetails, Reached
from tieline.principal import ClientRole, Permission, Principal
from tieline.work import unit_of_work

DETAILS = OrganisationDetails(
    name="Bolt",
    legal_name="Acme Holdings PLC",
    country="gb",
    currency="GBP",
    tax_number="GB 1",
    registration_number="7",
    timezone="GMT STANDARD TIME",
)


async def learn(books: Books, organisation_id: OrganisationId, details: OrganisationDetails) -> None:
    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        organisations = OrganisationRepository.of(books.practice_id)
        await organisations.lock([organisation_id])
        await organisations.set_details(organisation_id, details, at=work.now)
        await remismatch_organisations(work, books.practice_id, [organisation_id])


async def meet(books: Books, organisation_id: OrganisationId, name: str) -> None:
    """A sign-in finds the organisation under this name."""
    external_id = (await books.row("organisation", organisation_id))["external_id"]
    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        reached = [Reached(external_id=external_id, name=name, consented=True)]
        (found,) = await OrganisationRepository.of(books.practice_id).upsert(
            "pretend", "SANDBOX", reached, at=work.now
        )
        assert found.id == organisation_id
        await remismatch_organisations(work, books.practice_id, [organisation_id])


async def test_renaming_the_client_sets_and_clears_it_with_one_event_each(books: Books) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("ACME Ltd."))
    await books.events()

    await rename_client(books.admin, client.id, "Bolt")
    wrong, first = await get_connection(books.admin, made.id), await books.events()
    await rename_client(books.admin, client.id, "Bolt & Sons")
    second = await books.events()
    await rename_client(books.admin, client.id, "Acme Limited")
    right, third = await get_connection(books.admin, made.id), await books.events()

    assert (wrong.mismatch, right.mismatch) == (True, False)
    assert [kind for kind, _ in first] == ["CLIENT_RENAMED", "CONNECTION_MISMATCH_CHANGED"]
    assert [kind for kind, _ in second] == ["CLIENT_RENAMED"]
    assert third[1] == (
        "CONNECTION_MISMATCH_CHANGED",
        {
            "connection_id": str(made.id),
            "organisation_id": str(made.organisation_id),
            "product": "BOOKKEEPING",
            "mismatch": False,
        },
    )


async def test_every_current_connection_of_the_client_is_looked_at_and_no_ended_one(books: Books) -> None:
    client = await books.client("Acme")
    old = await books.connected(client, await books.organisation("Acme"))
    await disconnect(books.admin, old.id)
    organisation_id = await books.organisation("Acme")
    current = [await books.connected(client, organisation_id, each) for each in (BOOKKEEPING, DATA_HEALTH)]

    await rename_client(books.admin, client.id, "Bolt")

    flags = [(await get_connection(books.admin, each.id)).mismatch for each in (old, *current)]
    assert flags == [False, True, True]


async def test_an_organisation_that_changes_its_name_or_tells_its_legal_one_is_looked_at(
    books: Books,
) -> None:
    client = await books.client("Acme Holdings")
    made = await books.connected(client, await books.organisation("Acme Holdings"))

    await meet(books, made.organisation_id, "Bolt")
    renamed = await get_connection(books.admin, made.id)
    await learn(books, made.organisation_id, DETAILS)
    known = await get_connection(books.admin, made.id)

    assert (renamed.mismatch, renamed.organisation_name, known.mismatch) == (True, "Bolt", False)
    row = await books.row("organisation", made.organisation_id)
    assert (row["country"], row["currency"], row["name_key"]) == ("GB", "GBP", "bolt")
    assert row["details_at"] is not None


async def test_names_that_change_on_both_sides_at_once_are_compared_as_they_are_in_the_end(
    books: Books,
) -> None:
    for _ in range(20):
        client = await books.client("Acme")
        made = await books.connected(client, await books.organisation("Acme"))

        await asyncio.gather(
            rename_client(books.admin, client.id, "Bolt"), meet(books, made.organisation_id, "Bolt")
        )

        assert not (await get_connection(books.admin, made.id)).mismatch


async def test_accepted_names_may_differ_until_either_changes(books: Books) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("Bolt"))
    counts = [(await list_board(books.admin, BOOKKEEPING)).counts]
    await books.events()

    accepted = await accept_mismatch(books.admin, made.id)
    again = await accept_mismatch(books.admin, made.id)
    counts.append((await list_board(books.admin, BOOKKEEPING)).counts)
    told = await books.events()
    await rename_client(books.admin, client.id, "ACME Ltd")
    await meet(books, made.organisation_id, "Bolt Limited")
    spelled, spelled_kinds = await get_connection(books.admin, made.id), await books.kinds()
    await rename_client(books.admin, client.id, "Acme Two")
    renamed, renamed_kinds = await get_connection(books.admin, made.id), await books.kinds()
    await rename_client(books.admin, client.id, "Acme")
    back = await get_connection(books.admin, made.id)

    assert [each.status for each in (made, accepted, again)] == [
        Status.MISMATCH,
        Status.CONNECTED,
        Status.CONNECTED,
    ]
    assert [(each[Status.CONNECTED], each[Status.MISMATCH]) for each in counts] == [(1, 1), (1, 0)]
    assert [(kind, payload["mismatch"]) for kind, payload in told] == [("CONNECTION_MISMATCH_CHANGED", False)]
    assert (spelled.mismatch, spelled_kinds) == (False, ["CLIENT_RENAMED"])
    assert (renamed.mismatch, renamed_kinds) == (True, ["CLIENT_RENAMED", "CONNECTION_MISMATCH_CHANGED"])
    assert back.mismatch


async def test_an_organisation_that_is_renamed_ends_an_acceptance_even_if_it_is_renamed_back(
    books: Books,
) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Bolt"))
    await accept_mismatch(books.admin, made.id)

    await meet(books, made.organisation_id, "Acme")
    agreed = await get_connection(books.admin, made.id)
    await meet(books, made.organisation_id, "Bolt")
    back = await get_connection(books.admin, made.id)

    assert (agreed.mismatch, back.mismatch) == (False, True)


async def test_what_is_accepted_stays_so_when_it_is_reconnected_and_not_at_another_organisation(
    books: Books,
) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("Bolt"))
    await accept_mismatch(books.admin, made.id)
    await disconnect(books.admin, made.id)
    sign_in_id = await books.sign_in(await books.credential(), [made.organisation_id])

    mended = await reconnect(books.admin, made.id, sign_in_id)
    await disconnect(books.admin, made.id)
    other = await books.connected(client, await books.organisation("Bolt"))

    assert (mended.status, other.status) == (Status.CONNECTED, Status.MISMATCH)


async def test_names_that_agree_need_no_acceptance_and_strangers_may_not_accept(
    books: Books, other_books: Books
) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("Acme"))
    await books.events()

    assert await accept_mismatch(books.admin, made.id) == made
    assert (await books.row("connection", made.id))["accepted_names"] is None
    assert await books.kinds() == []
    for principal in (
        await books.member(Permission.SYNC),
        await books.of_client(client, ClientRole.READER),
    ):
        with pytest.raises(Forbidden):
            await accept_mismatch(principal, made.id)
    with pytest.raises(NotFound, match="connection"):
        await accept_mismatch(other_books.admin, made.id)


async def test_nobody_accepts_a_mismatch_that_is_not_shown(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Bolt"))
    await books.expire(made, "TOKEN_EXPIRED")
    await books.events()

    told = await accept_mismatch(books.admin, made.id)
    await books.sql.execute("UPDATE connection SET reason = NULL WHERE id = $1", made.id)

    assert (told.status, await books.kinds()) == (Status.EXPIRED, [])
    assert (await get_connection(books.admin, made.id)).status is Status.MISMATCH
