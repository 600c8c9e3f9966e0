"""Organisations known once to a practice, and the connections of a credential that dies and is signed in anew."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import ConnectionRepository
from tieline.connections.service import disconnect, get_connection
from tieline.connections.states import Reason
from tieline.credentials.repository import CredentialRepository
from tieline.plugins import OrganisationDetails, Reached
from tieline.principal import Principal
from tieline.work import unit_of_work


async def meet(books: Books, *names: str) -> list[Organisation]:
    """Organisations whose external ids are what comes before the colon, as a sign-in reaches them."""
    reached = [
        Reached(external_id=name.partition(":")[0], name=name.partition(":")[2], consented=True)
        for name in names
    ]
    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        return await OrganisationRepository.of(books.practice_id).upsert(
            "pretend", "SANDBOX", reached, at=work.now
        )


async def test_an_organisation_is_one_row_however_often_it_is_met(books: Books, other_books: Books) -> None:
    first = await meet(books, "b:Bolt", "a:Acme")
    again = await meet(books, "a:Acme", "c:Café", "b:Bolts")
    foreign = await meet(other_books, "a:Acme")

    assert [each.name for each in again] == ["Acme", "Café", "Bolts"]
    assert [again[2].id, again[0].id] == [each.id for each in first]
    assert foreign[0].id not in {each.id for each in again}
    assert await books.count("organisation") == 3


@pytest.mark.parametrize(
    ("reported", "stored"),
    [
        ("a: Two \n lines\x00 ", "Two lines"),
        ("a:\x01\ud800", "a"),
        ("a:" + "é" * 300, "é" * 200),
    ],
)
async def test_whatever_name_a_provider_reports_can_be_stored(
    books: Books, reported: str, stored: str
) -> None:
    (found,) = await meet(books, reported)

    assert found.name == stored


async def test_two_sign_ins_at_once_meet_the_same_organisations(books: Books) -> None:
    for round_ in range(20):
        names = [f"{round_}-{number}:Name" for number in range(5)]

        one, other = await asyncio.gather(meet(books, *names), meet(books, *reversed(names)))

        assert [each.id for each in one] == [each.id for each in reversed(other)]


async def test_meeting_organisations_and_locking_them_at_once_wait_for_each_other_in_one_order(
    books: Books,
) -> None:
    """Their ids rise while their external ids fall: in the order of those, each would hold what the other wants."""
    names = [f"{number:03}:Name" for number in range(200, 0, -1)]
    ids = [(await meet(books, name))[0].id for name in names]
    assert ids == sorted(ids)

    async def lock() -> None:
        async with unit_of_work(books.admin):
            await OrganisationRepository.of(books.practice_id).lock(ids)

    for _ in range(20):
        await asyncio.gather(meet(books, *names), lock(), meet(books, *names), lock())


async def test_details_that_do_not_fit_are_left_out(books: Books) -> None:
    organisation_id = await books.organisation("Acme")
    odd = OrganisationDetails(
        name=" ",
        legal_name="",
        country="GBR",
        currency="£",
        tax_number="1" * 99,
        registration_number=None,
        timezone=None,
    )

    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        organisations = OrganisationRepository.of(books.practice_id)
        await organisations.set_details(organisation_id, odd, at=work.now)

    row = await books.row("organisation", organisation_id)
    assert row["details_at"] is not None
    assert [row[column] for column in ("name", "legal_name", "country", "currency")] == [
        "Acme",
        None,
        None,
        None,
    ]
    assert row["tax_number"] == "1" * 64


async def test_what_a_sign_in_found_and_lacks_details_is_told_a_few_at_a_time(books: Books) -> None:
    found = await books.organisations("A", "B", "C")
    await books.organisation("Not found")
    sign_in_id = await books.sign_in(await books.credential(), found)

    async with unit_of_work(books.admin):
        organisations = OrganisationRepository.of(books.practice_id)
        lacking = await organisations.lacking_details_of_sign_in(sign_in_id, limit=2)

    assert [each.id for each in lacking] == sorted(found)[:2]


async def test_a_dead_credential_expires_what_hangs_on_it_and_has_no_reason_yet(books: Books) -> None:
    organisations = await books.organisations("A", "B", "C", "D")
    made = [
        await books.connected(await books.client(f"Client {number}"), organisation_id)
        for number, organisation_id in enumerate(organisations)
    ]
    credential_id = made[0].credential_id
    await books.sql.execute(
        "UPDATE connection SET credential_id = $2 WHERE practice_id = $1", books.practice_id, credential_id
    )
    await books.expire(made[1], "ACCESS_LOST")
    await disconnect(books.admin, made[2].id)

    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        connections = ConnectionRepository.of(books.practice_id)
        await CredentialRepository.of(books.practice_id).lock([credential_id])
        expired = await connections.expire_of_credential(
            credential_id, Reason.REVOKED_AT_PROVIDER, at=work.now
        )
        again = await connections.expire_of_credential(credential_id, Reason.TOKEN_EXPIRED, at=work.now)

    assert [each.id for each in expired] == [made[0].id, made[3].id]
    assert {each.reason for each in expired} == {Reason.REVOKED_AT_PROVIDER}
    assert again == []
    assert [(await get_connection(books.admin, each.id)).reason for each in made] == [
        Reason.REVOKED_AT_PROVIDER,
        Reason.ACCESS_LOST,
        Reason.DISCONNECTED,
        Reason.REVOKED_AT_PROVIDER,
    ]


async def test_what_is_no_longer_reached_expires_alone(books: Books) -> None:
    client, organisation_id = await books.client("Acme"), await books.organisation("Acme")
    one = await books.connected(client, organisation_id, BOOKKEEPING)
    other = await books.connected(client, organisation_id, DATA_HEALTH)

    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        connections = ConnectionRepository.of(books.practice_id)
        expired = [
            await connections.expire_of_credential(
                one.credential_id, Reason.REVOKED_AT_PROVIDER, at=work.now, organisation_ids=ids
            )
            for ids in ([], [organisation_id])
        ]

    assert [[each.id for each in listed] for listed in expired] == [[], [one.id]]
    assert (await get_connection(books.admin, other.id)).reason is None
