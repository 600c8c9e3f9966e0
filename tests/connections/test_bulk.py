"""Connecting many at once: one honest outcome a row, harmless when repeated, whole when two do it at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.statements import Statement, all_connected, taken_down, transactions
from tieline.connections.decisions import Asked
from tieline.connections.service import RowOutcome, bulk_connect, connect, disconnect
from tieline.connections.states import Reason
from tieline.errors import Invalid, NotFound, Refused
from tieline.ids import ClientId, OrganisationId, SignInId, new_id
from tieline.principal import ClientRole, Permission


def asked(clients: Sequence[ClientId], organisations: Sequence[OrganisationId]) -> list[Asked]:
    return [
        Asked(client_id=one, organisation_id=other) for one, other in zip(clients, organisations, strict=True)
    ]


def outcomes(rows: Sequence[RowOutcome]) -> list[str]:
    return [row.outcome for row in rows]


def ours(statements: Sequence[Statement]) -> list[str]:
    """How each begins, without what the driver asks of types that it meets for the first time."""
    asked_by_driver = ("typeinfo_tree", "'jit'")
    return [
        each.sql[:60]
        for each in statements
        if each.is_data and not any(sign in each.sql for sign in asked_by_driver)
    ]


async def many(books: Books, count: int) -> tuple[SignInId, list[Asked]]:
    """A sign-in that reaches as many organisations as there are new clients, and the pairs of them."""
    clients = await books.clients(count)
    organisations = await books.organisations(*(f"Client {number:05}" for number in range(count)))
    sign_in_id = await books.sign_in(await books.credential(), organisations)
    return sign_in_id, asked(clients, organisations)


async def test_each_row_has_its_outcome_whatever_the_others_have(books: Books) -> None:
    sign_in_id, rows = await many(books, 18)
    elsewhere = await books.organisation("Elsewhere")
    narrow = await books.credential(scopes=["reports"])
    await books.sql.execute(
        "UPDATE sign_in_organisation SET credential_id = $2 WHERE organisation_id = $1",
        rows[17].organisation_id,
        narrow,
    )
    for row in rows[:2]:
        await books.connected(row.client_id, row.organisation_id)
    expired = await books.connected(rows[2].client_id, rows[2].organisation_id)
    await books.expire(expired, "TOKEN_EXPIRED")
    replaced = await books.connected(rows[3].client_id, elsewhere)
    await disconnect(books.admin, replaced.id)
    kept_elsewhere = await books.organisation("Kept")
    await books.connected(rows[4].client_id, kept_elsewhere)
    holder = await books.client("Holder")
    await books.connected(holder, rows[5].organisation_id)
    unreached = await books.organisation("Unreached")
    request = [
        *rows[:17],
        Asked(client_id=rows[17].client_id, organisation_id=rows[17].organisation_id),
        Asked(client_id=ClientId(new_id()), organisation_id=elsewhere),
        Asked(client_id=holder.id, organisation_id=OrganisationId(new_id())),
        Asked(client_id=(await books.client("A")).id, organisation_id=unreached),
        Asked(client_id=(await books.client("B")).id, organisation_id=rows[6].organisation_id),
        Asked(client_id=rows[7].client_id, organisation_id=kept_elsewhere),
        rows[8],
        Asked(client_id=(await books.client("C")).id, organisation_id=kept_elsewhere),
    ]
    assert len(request) == 25
    await books.events()

    result = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, request)

    assert [row.asked for row in result] == request
    assert outcomes(result) == [
        "ALREADY_CONNECTED",
        "ALREADY_CONNECTED",
        "CONNECTED",
        "CONNECTED",
        "DIFFERENT_ORGANISATION",
        "ORGANISATION_IN_USE",
        *["CONNECTED"] * 11,
        "SCOPE_MISSING",
        "NOT_FOUND",
        "NOT_FOUND",
        "NOT_IN_THIS_LOGIN",
        "ORGANISATION_IN_USE",
        "NAMED_TWICE",
        "NAMED_TWICE",
        "NOT_IN_THIS_LOGIN",
    ]
    for each in result:
        assert (each.connection is None) == isinstance(each.refusal, Refused)
        if each.connection is not None:
            assert each.connection.client_id == each.asked.client_id
            assert each.connection.organisation_id == each.asked.organisation_id
    assert Counter(await books.kinds()) == {"CONNECTION_ENDED": 1, "CONNECTION_CONNECTED": 13}


async def test_a_client_that_may_not_be_managed_is_refused_alone(books: Books) -> None:
    sign_in_id, rows = await many(books, 2)
    mine, other = [await books.client("Mine"), await books.client("Read only")]
    person = await books.of_client(mine, ClientRole.ADMINISTRATOR)
    await books.sql.execute(
        "INSERT INTO client_member (practice_id, person_id, client_id, role, created_at) "
        "SELECT practice_id, person_id, $2, 'READER', created_at FROM client_member WHERE person_id = $1",
        person.person_id,
        other.id,
    )
    organisations = [row.organisation_id for row in rows]
    sign_in_id = await books.sign_in(
        await books.credential(person.person_id), organisations, person_id=person.person_id
    )

    result = await bulk_connect(person, sign_in_id, BOOKKEEPING, asked([mine.id, other.id], organisations))

    assert outcomes(result) == ["CONNECTED", "FORBIDDEN"]


async def test_a_row_that_is_refused_stands_in_no_other_ones_way(books: Books) -> None:
    sign_in_id, (one, other) = await many(books, 2)
    nobody, nothing = ClientId(new_id()), OrganisationId(new_id())
    request = [
        Asked(client_id=nobody, organisation_id=one.organisation_id),
        one,
        Asked(client_id=other.client_id, organisation_id=nothing),
        other,
    ]

    result = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, request)

    assert outcomes(result) == ["NOT_FOUND", "CONNECTED", "NOT_FOUND", "CONNECTED"]


async def test_repeated_it_is_harmless(books: Books) -> None:
    sign_in_id, rows = await many(books, 25)
    first = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)
    await books.events()

    again = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)

    assert set(outcomes(first)) == {"CONNECTED"}
    assert set(outcomes(again)) == {"ALREADY_CONNECTED"}
    assert [row.connection for row in again] == [row.connection for row in first]
    assert await books.kinds() == []
    assert len(await books.runs()) == 25


async def test_two_at_once_connect_each_row_once(books: Books) -> None:
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    for _ in range(20):
        sign_in_id, rows = await many(books, 5)
        theirs = await books.sign_in(
            await books.credential(colleague.person_id),
            [row.organisation_id for row in rows],
            person_id=colleague.person_id,
        )
        await books.events()

        mine, others = await asyncio.gather(
            bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows),
            bulk_connect(colleague, theirs, BOOKKEEPING, rows[::-1]),
        )

        for one, other in zip(mine, others[::-1], strict=True):
            assert {one.outcome, other.outcome} == {"CONNECTED", "ALREADY_CONNECTED"}
            assert one.connection == other.connection
        assert await books.kinds() == ["CONNECTION_CONNECTED"] * 5


async def test_of_two_clients_for_one_organisation_at_once_one_gets_it(books: Books) -> None:
    for _ in range(20):
        sign_in_id, (row, other) = await many(books, 2)

        results = await asyncio.gather(
            *(
                connect(
                    books.admin,
                    sign_in_id,
                    client_id=client_id,
                    product=BOOKKEEPING,
                    organisation_id=row.organisation_id,
                )
                for client_id in (row.client_id, other.client_id)
            ),
            return_exceptions=True,
        )

        refusals = [result for result in results if isinstance(result, Refused)]
        assert [refusal.code for refusal in refusals] == ["ORGANISATION_IN_USE"]
        assert await books.count("connection", f"organisation_id = '{row.organisation_id}'") == 1


async def test_crossed_pairs_at_once_end_in_one_of_them(books: Books) -> None:
    """Each takes what the other wants second: nobody waits for ever, and both rows of one side win."""
    for _ in range(20):
        sign_in_id, rows = await many(books, 2)
        crossed = asked([rows[1].client_id, rows[0].client_id], [row.organisation_id for row in rows])

        straight, others = await asyncio.gather(
            bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows),
            bulk_connect(books.admin, sign_in_id, BOOKKEEPING, crossed),
        )

        won, lost = sorted(
            (outcomes(straight), outcomes(others)), key=lambda listed: listed[0] != "CONNECTED"
        )
        assert won == ["CONNECTED"] * 2
        assert lost == ["ORGANISATION_IN_USE"] * 2


async def test_a_thousand_rows_take_the_statements_of_one_and_more_are_refused(books: Books) -> None:
    sign_in_id, rows = await many(books, 1_001)
    await all_connected()

    with taken_down() as few:
        await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows[:1])
    with taken_down() as statements:
        result = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows[1:])

    assert set(outcomes(result)) == {"CONNECTED"}
    assert len(result) == 1_000
    assert ours(statements) == ours(few)
    assert transactions(statements) == 1
    assert len(ours(few)) == 17
    with pytest.raises(Invalid, match="at most 1,000 clients; this one has 1,001"):
        await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)


async def test_no_rows_are_no_outcomes_and_a_foreign_sign_in_is_not_found(
    books: Books, other_books: Books
) -> None:
    sign_in_id, rows = await many(books, 1)

    assert await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, []) == []
    with pytest.raises(NotFound, match="sign-in"):
        await bulk_connect(other_books.admin, sign_in_id, BOOKKEEPING, rows)


async def test_a_second_product_in_bulk_keeps_the_organisations_client(books: Books) -> None:
    sign_in_id, rows = await many(books, 3)
    await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)

    result = await bulk_connect(books.admin, sign_in_id, DATA_HEALTH, rows)

    assert set(outcomes(result)) == {"CONNECTED"}
    assert await books.count("connection", "held_organisation_id IS NOT NULL") == 6
    connection = result[0].connection
    assert connection is not None
    assert (await disconnect(books.admin, connection.id)).reason is Reason.DISCONNECTED
