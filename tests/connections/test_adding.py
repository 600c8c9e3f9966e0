"""Adding clients from organisations: one honest outcome a row, harmless when repeated, and when two do it at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.statements import Statement, all_connected, taken_down, transactions
from tieline.clients.adding.decisions import Wanted
from tieline.clients.adding.service import AddOutcome, add_clients
from tieline.clients.service import rename_client
from tieline.connections.service import disconnect
from tieline.connections.states import Status
from tieline.errors import Forbidden, Invalid, NotFound, SignInNotReady
from tieline.ids import ClientId, OrganisationId, SignInId, TeamId, new_id
from tieline.practices import service as practices
from tieline.principal import ClientAccess, ClientRole, Permission, Principal

DETAILS = """
UPDATE organisation SET legal_name = $2, country = $3, currency = $4, tax_number = $5, registration_number = $6
 WHERE id = $1
"""


def wanted(organisation_id: OrganisationId, **more: Any) -> Wanted:
    return Wanted(client_id=ClientId(new_id()), organisation_id=organisation_id, **more)


def outcomes(rows: Sequence[AddOutcome]) -> list[str]:
    return [row.outcome for row in rows]


def names(rows: Sequence[AddOutcome]) -> list[str | None]:
    """Of the clients that outcomes tell of."""
    return [row.client.name if row.client is not None else None for row in rows]


async def reaching(
    books: Books, *organisation_ids: OrganisationId, whose: Principal | None = None
) -> SignInId:
    person_id = (whose or books.admin).person_id
    return await books.sign_in(await books.credential(person_id), organisation_ids, person_id=person_id)


async def add(
    books: Books, sign_in_id: SignInId, *rows: Wanted, whose: Principal | None = None
) -> list[AddOutcome]:
    return await add_clients(whose or books.admin, sign_in_id, BOOKKEEPING, rows)


def ours(statements: Sequence[Statement]) -> list[str]:
    """How each begins, without what the driver asks of types that it meets for the first time."""
    asked_by_driver = ("typeinfo_tree", "'jit'")
    return [
        each.sql[:60]
        for each in statements
        if each.is_data and not any(sign in each.sql for sign in asked_by_driver)
    ]


async def test_a_client_is_made_of_what_its_ledger_tells_each_detail_with_its_source(books: Books) -> None:
    bakery, sons = await books.organisations("Ashford Bakery", "Birch & Sons")
    await books.sql.execute(DETAILS, bakery, "Ashford Bakery Ltd", "GB", "GBP", "GB123", "0456")
    sign_in_id = await reaching(books, bakery, sons)

    made = await add(books, sign_in_id, wanted(bakery), wanted(sons, name="  Birch  "))

    assert (outcomes(made), names(made)) == (["ADDED", "ADDED"], ["Ashford Bakery", "Birch"])
    rows = [await books.row("client", each.client.id) for each in made if each.client is not None]
    details = ("legal_name", "country", "currency", "tax_number", "registration_number", "name_key")
    assert [tuple(row[detail] for detail in details) for row in rows] == [
        ("Ashford Bakery Ltd", "GB", "GBP", "GB123", "0456", "ashford bakery"),
        (None, None, None, None, None, "birch"),
    ]
    from_ledger = dict.fromkeys(details[:-1], "LEDGER")
    assert [json.loads(row["detail_sources"]) for row in rows] == [
        {"name": "LEDGER", **from_ledger},
        {"name": "PERSON", **from_ledger},
    ]
    assert await books.count("client_word", "word IN ('ashford', 'bakery', 'birch')") == 3


async def test_a_name_that_a_person_gives_later_is_the_persons(books: Books) -> None:
    bakery = await books.organisation("Ashford Bakery")
    [made] = await add(books, await reaching(books, bakery), wanted(bakery))
    by_hand = await books.client("Birch", country="GB")
    assert made.client is not None

    await rename_client(books.admin, made.client.id, "The Bakery")

    sources = [
        json.loads((await books.row("client", each))["detail_sources"])
        for each in (made.client.id, by_hand.id)
    ]
    assert (sources[0]["name"], sources[0]["country"]) == ("PERSON", "LEDGER")
    assert sources[1] == {"name": "PERSON", "country": "PERSON"}


async def test_it_is_connected_recorded_and_read_first_of_all(books: Books) -> None:
    bakery = await books.organisation("Ashford Bakery")
    sign_in_id = await reaching(books, bakery)
    row = wanted(bakery, name="Someone Else")

    [made] = await add(books, sign_in_id, row)

    assert made.client is not None
    assert made.connection is not None
    assert made.client.id == made.connection.client_id == row.client_id
    assert (made.connection.organisation_id, made.connection.status) == (bakery, Status.MISMATCH)
    assert await books.kinds() == ["CLIENT_CREATED", "CONNECTION_CONNECTED"]
    (run,) = await books.runs()
    assert (run["organisation_id"], run["lane"], run["trigger"]) == (bakery, "FIRST", "CONNECT")
    assert (await books.row("organisation", bakery))["client_id"] == made.client.id


async def test_each_row_has_its_outcome_whatever_the_others_have(books: Books) -> None:
    good, twice, same, alike, there, other_product, nameless = await books.organisations(
        "Good", "Twice", "Existing Ltd", "Good Limited", "There", "Other Product", "!!!"
    )
    unreached, narrow = await books.organisations("Unreached", "Narrow")
    await books.connected(await books.client("Connected"), there)
    await books.connected(await books.client("Of the other product"), other_product, DATA_HEALTH)
    await books.client("existing")
    sign_in_id = await reaching(books, good, twice, same, alike, there, other_product, narrow, nameless)
    await books.sql.execute(
        "UPDATE sign_in_organisation SET credential_id = $2 WHERE organisation_id = $1",
        narrow,
        await books.credential(scopes=["reports"]),
    )
    expected = [
        (wanted(good), "ADDED", "Good"),
        (wanted(twice), "ADDED", "Twice"),
        (wanted(twice), "ALREADY_ADDED", "Twice"),
        (wanted(same), "DUPLICATE", "existing"),
        (wanted(alike), "DUPLICATE", "Good"),
        (wanted(alike, even_if_duplicate=True), "ADDED", "Good Limited"),
        (wanted(there), "ALREADY_ADDED", "Connected"),
        (wanted(other_product), "ORGANISATION_IN_USE", "Of the other product"),
        (wanted(unreached), "NOT_IN_THIS_LOGIN", None),
        (wanted(narrow), "SCOPE_MISSING", None),
        (wanted(OrganisationId(new_id())), "NOT_FOUND", None),
        (wanted(nameless), "INVALID", None),
        (wanted(nameless, name="x" * 201), "INVALID", None),
        (wanted(nameless, name="Named", team_id=TeamId(new_id())), "NOT_FOUND", None),
        (wanted(nameless, name="Named"), "ADDED", "Named"),
    ]
    await books.events()

    made = await add(books, sign_in_id, *(row for row, _, _ in expected))

    assert list(zip(outcomes(made), names(made), strict=True)) == [told[1:] for told in expected]
    for each in made:
        good_row = each.outcome.endswith("ADDED")
        assert (each.refusal is None, each.connection is not None) == (good_row, good_row)
    assert await books.kinds() == ["CLIENT_CREATED"] * 4 + ["CONNECTION_CONNECTED"] * 4


async def test_repeated_it_adds_nothing(books: Books) -> None:
    organisations = await books.organisations("One", "Two", "Three")
    sign_in_id = await reaching(books, *organisations)
    first = await add(books, sign_in_id, *map(wanted, organisations))
    await books.events()

    again = await add(books, sign_in_id, *map(wanted, organisations))

    assert (outcomes(first), outcomes(again)) == (["ADDED"] * 3, ["ALREADY_ADDED"] * 3)
    assert [(each.client, each.connection) for each in again] == [
        (each.client, each.connection) for each in first
    ]
    assert (await books.kinds(), len(await books.runs())) == ([], 3)


async def test_what_was_disconnected_since_is_a_duplicate_and_not_added_twice(books: Books) -> None:
    organisation_id = await books.organisation("One")
    sign_in_id = await reaching(books, organisation_id)
    [made] = await add(books, sign_in_id, wanted(organisation_id))
    assert made.connection is not None
    await disconnect(books.admin, made.connection.id)

    [again] = await add(books, sign_in_id, wanted(organisation_id))

    assert (again.outcome, again.client) == ("DUPLICATE", made.client)


async def test_two_at_once_add_each_once(books: Books) -> None:
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    for number in range(10):
        organisations = await books.organisations(*(f"{number} {name}" for name in "ABC"))
        mine = await reaching(books, *organisations)
        theirs = await reaching(books, *organisations, whose=colleague)

        one, other = await asyncio.gather(
            add(books, mine, *map(wanted, organisations)),
            add(books, theirs, *map(wanted, organisations[::-1]), whose=colleague),
        )

        assert sorted((outcomes(one), outcomes(other))) == [["ADDED"] * 3, ["ALREADY_ADDED"] * 3]
    assert await books.count("client") == 30


async def test_two_logins_at_once_add_no_name_twice(books: Books) -> None:
    for number in range(10):
        namesakes = await books.organisations(f"{number} Namesake", f"{number} Namesake Ltd")
        sign_ins = [await reaching(books, each) for each in namesakes]

        results = await asyncio.gather(
            *(
                add(books, sign_in_id, wanted(each))
                for sign_in_id, each in zip(sign_ins, namesakes, strict=True)
            )
        )

        assert sorted(map(outcomes, results)) == [["ADDED"], ["DUPLICATE"]]


async def test_a_thousand_rows_take_the_statements_of_one_and_more_are_refused(books: Books) -> None:
    organisations = await books.organisations(*(f"Client {number:05}" for number in range(1_001)))
    sign_in_id = await reaching(books, *organisations)
    member = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    theirs = await reaching(books, *organisations, whose=member)
    await all_connected()

    with taken_down() as few:
        await add(books, theirs, wanted(organisations[0]), whose=member)
    with taken_down() as statements:
        made = await add(books, theirs, *map(wanted, organisations[1:]), whose=member)

    assert (len(made), set(outcomes(made))) == (1_000, {"ADDED"})
    assert ours(statements) == ours(few)
    assert transactions(statements) == 1
    assert len(ours(few)) <= 27
    with pytest.raises(Invalid, match="at most 1,000 clients; this one has 1,001") as many:
        await add(books, sign_in_id, *map(wanted, organisations))
    assert many.value.field == "rows"


async def test_a_team_is_set_on_the_plan_that_has_teams(books: Books) -> None:
    one, other = await books.organisations("One", "Other")
    sign_in_id = await reaching(books, one, other)
    team_id = await practices.create_team(books.practice_id, "North")

    [made] = await add(books, sign_in_id, wanted(one, team_id=team_id))
    await books.sql.execute("UPDATE practice SET plan = 'STANDARD' WHERE id = $1", books.practice_id)
    [refused] = await add(books, sign_in_id, wanted(other, team_id=team_id))

    assert made.client is not None
    assert made.client.team_id == team_id
    assert (refused.outcome, str(refused.refusal)) == (
        "PLAN_TOO_SMALL",
        "Assigning a team needs the plan ADVANCED.",
    )


async def test_a_member_sees_what_it_added_and_is_not_told_of_what_it_may_not_see(books: Books) -> None:
    member = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    secret, taken, mine = await books.organisations("Secret", "Taken", "Mine")
    await books.client("Secret")
    await books.connected(await books.client("Holder"), taken)
    sign_in_id = await reaching(books, secret, taken, mine, whose=member)

    made = await add(books, sign_in_id, *map(wanted, (secret, taken, mine)), whose=member)
    again = await add(books, sign_in_id, *map(wanted, (secret, taken, mine)), whose=member)

    assert outcomes(made) == ["DUPLICATE", "ORGANISATION_IN_USE", "ADDED"]
    assert outcomes(again) == ["DUPLICATE", "ORGANISATION_IN_USE", "ALREADY_ADDED"]
    assert names(made) == names(again) == [None, None, "Mine"]
    assert [str(each.refusal) for each in made[:2]] == [
        "Another client of your practice is there already; Secret may be the same business.",
        "Taken already serves another client of your practice.",
    ]


async def test_who_may_add_and_with_what(books: Books, other_books: Books) -> None:
    organisation_id = await books.organisation("One")
    sign_in_id = await reaching(books, organisation_id)
    administrator = await books.of_client(await books.client("Theirs"), ClientRole.ADMINISTRATOR)
    unready = await books.sign_in(await books.credential(), [organisation_id], usable_for=None)

    for each in (administrator, await books.member(Permission.SYNC)):
        own = await reaching(books, organisation_id, whose=each)
        with pytest.raises(Forbidden):
            await add(books, own, wanted(organisation_id), whose=each)
    with pytest.raises(NotFound, match="sign-in"):
        await add(books, sign_in_id, wanted(organisation_id), whose=other_books.admin)
    with pytest.raises(SignInNotReady):
        await add(books, unready, wanted(organisation_id))

    assert await add(books, sign_in_id) == []
    assert await books.count("client") == 1


async def test_the_practices_own_books_are_added_only_where_they_are_meant(books: Books) -> None:
    await books.sql.execute("UPDATE practice SET name = 'Harbour & Co Ltd' WHERE id = $1", books.practice_id)
    same, legal, alike = await books.organisations("HARBOUR and Co.", "The Harbour", "Harbour Fishing")
    await books.sql.execute(DETAILS, legal, "Harbour & Co Limited", "GB", "GBP", None, None)
    sign_in_id = await reaching(books, same, legal, alike)

    refused = await add(
        books, sign_in_id, wanted(same), wanted(legal, name="Somebody", even_if_duplicate=True), wanted(alike)
    )
    meant = await add(books, sign_in_id, wanted(same, even_if_own_books=True))
    again = await add(books, sign_in_id, wanted(same))

    assert outcomes(refused) == ["OWN_BOOKS", "OWN_BOOKS", "ADDED"]
    assert names(refused) == [None, None, "Harbour Fishing"]
    assert "The Harbour is called as your practice is" in str(refused[1].refusal)
    assert (outcomes(meant), outcomes(again)) == (["ADDED"], ["ALREADY_ADDED"])
    assert await books.count("client") == 2
