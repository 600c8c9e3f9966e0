"""Whether names agree stays true, whichever of them changes."""

from __future__ import annotations

import asyncio

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.clients.service import rename_client
from tieline.connections.mismatches import remismatch_organisations
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.service import disconnect, get_connection
from tieline.ids import OrganisationId
from tieline.plugins import OrganisationDetails, Reached
from tieline.principal import Principal
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
