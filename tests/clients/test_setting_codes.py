"""Practice codes given to many at once: what a preview says is what comes of it, in one transaction, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from tests.support.books import Books
from tests.support.statements import Statement, all_connected, taken_down, transactions
from tieline.clients.codes.decisions import Coded
from tieline.clients.codes.reading import Layout
from tieline.clients.codes.service import CodeOutcome, preview_codes, set_codes
from tieline.clients.repository import Client
from tieline.clients.service import NewClient, create_client, delete_client
from tieline.errors import CodeTaken, Invalid
from tieline.ids import ClientId, new_id
from tieline.principal import ClientAccess, ClientRole, Permission


def rows(*pairs: tuple[Client, str | None]) -> list[Coded]:
    return [Coded(client_id=client.id, code=code) for client, code in pairs]


def outcomes(became: Sequence[CodeOutcome]) -> list[str]:
    return [each.outcome for each in became]


def ours(statements: Sequence[Statement]) -> list[str]:
    """How each begins, without what the driver asks of types that it meets for the first time."""
    asked_by_driver = ("typeinfo_tree", "'jit'")
    return [
        each.sql[:60]
        for each in statements
        if each.is_data and not any(sign in each.sql for sign in asked_by_driver)
    ]


async def codes(books: Books) -> dict[str, str | None]:
    """Of all clients that are not deleted, by name."""
    found = await books.sql.fetch(
        "SELECT name, practice_code FROM client WHERE practice_id = $1 AND deleted_at IS NULL",
        books.practice_id,
    )
    return {row["name"]: row["practice_code"] for row in found}


async def test_codes_are_swapped_given_and_taken_away_and_the_same_again_changes_nothing(
    books: Books,
) -> None:
    one, other = await books.client("One", practice_code="1"), await books.client("Other", practice_code="2")
    fresh, cleared = await books.client("Fresh"), await books.client("Cleared", practice_code="9")
    request = rows((one, "2"), (other, "1"), (fresh, " 9 "), (cleared, None))
    await books.events()

    first = await set_codes(books.admin, request)
    told = await books.events()
    again = await set_codes(books.admin, request)

    assert (outcomes(first), outcomes(again)) == (["SET"] * 4, ["UNCHANGED"] * 4)
    assert await codes(books) == {"One": "2", "Other": "1", "Fresh": "9", "Cleared": None}
    assert [each.client.practice_code for each in first if each.client] == ["2", "1", "9", None]
    assert told == [("CLIENT_CHANGED", {"fields": ["practiceCode"]})] * 4
    assert await books.kinds() == []
    assert '"practice_code": "PERSON"' in (await books.row("client", one.id))["detail_sources"]


async def test_each_row_has_its_outcome_whatever_the_others_have(books: Books, other_books: Books) -> None:
    mine, read, taken = [
        await books.client(name, practice_code=code)
        for name, code in [("Mine", None), ("Read", None), ("Taken", "7")]
    ]
    hidden = await books.client("Hidden")
    foreign = await other_books.client("Foreign", practice_code="5")
    person = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) SELECT $1, $2, unnest($3::uuid[])",
        person.practice_id,
        person.person_id,
        [mine.id, read.id],
    )
    administrator = await books.of_client(mine, ClientRole.ADMINISTRATOR)
    request = rows(
        (read, "7"), (hidden, "2"), (foreign, "3"), (mine, "7"), (mine, "x" * 65), (mine, "5"), (mine, "6")
    )

    became = await set_codes(person, request)

    assert outcomes(became) == [
        "CODE_TAKEN",
        "NOT_FOUND",
        "NOT_FOUND",
        "CODE_TAKEN",
        "NAMED_TWICE",
        "NAMED_TWICE",
        "NAMED_TWICE",
    ]
    assert str(became[3].refusal) == "Another client has the practice code 7."
    assert outcomes(await set_codes(person, request[4:])) == ["INVALID", "SET", "NAMED_TWICE"]
    assert outcomes(await set_codes(administrator, rows((mine, "9"), (read, "9")))) == [
        "FORBIDDEN",
        "NOT_FOUND",
    ]
    assert outcomes(await set_codes(person, rows((mine, "\x00"), (mine, "\ud800")))) == ["INVALID", "INVALID"]
    assert await codes(books) == {"Mine": "5", "Read": None, "Taken": "7", "Hidden": None}
    assert await codes(other_books) == {"Foreign": "5"}
    assert taken.practice_code == "7"


async def test_a_deleted_clients_code_is_free(books: Books) -> None:
    gone, new = await books.client("Gone", practice_code="1"), await books.client("New")
    await delete_client(books.admin, gone.id)

    assert outcomes(await set_codes(books.admin, rows((new, "1"), (gone, "2")))) == ["SET", "NOT_FOUND"]


async def test_two_who_want_one_code_at_once_are_told_the_truth(books: Books) -> None:
    for number in range(10):
        code = f"C-{number}"
        one, other = await books.client("One"), await books.client("Other")

        first, second, made = await asyncio.gather(
            set_codes(books.admin, rows((one, code))),
            set_codes(books.admin, rows((other, code))),
            create_client(books.admin, NewClient(name="Made", practice_code=code)),
            return_exceptions=True,
        )

        answers = [one if isinstance(one, BaseException) else outcomes(one) for one in (first, second)]
        won = answers.count(["SET"]) + isinstance(made, Client)
        assert (won, answers.count(["CODE_TAKEN"]) + isinstance(made, CodeTaken)) == (1, 2), answers


async def test_a_preview_says_what_setting_all_that_is_matched_comes_to_and_changes_nothing(
    books: Books,
) -> None:
    one, other = await books.client("One", practice_code="1"), await books.client("Other", practice_code="2")
    third, _ = await books.client("Third", practice_code="3"), await books.client("Keeper", practice_code="4")
    csv = "Name;Practice code\nOne;2\nOther Ltd;1\nThird;4\nNobody;5\nKeeper;\n"
    await books.events()

    preview = await preview_codes(books.admin, csv, Layout())

    assert await codes(books) == {"One": "1", "Other": "2", "Third": "3", "Keeper": "4"}
    assert await books.kinds() == []
    assert [match.client.id for match, _ in preview.matched] == [one.id, other.id, third.id]
    foreseen = [outcome.outcome for _, outcome in preview.matched]
    assert foreseen == ["SET", "SET", "CODE_TAKEN"]
    assert [line.name for line in preview.unmatched] == ["Nobody"]
    assert preview.without_code == 1
    confirmed = rows(*((match.client, match.line.code) for match, _ in preview.matched))
    assert outcomes(await set_codes(books.admin, confirmed)) == foreseen


async def test_a_preview_knows_only_clients_that_the_caller_sees(books: Books, other_books: Books) -> None:
    seen, hidden = await books.client("Seen"), await books.client("Hidden", practice_code="7")
    await other_books.client("Foreign")
    reader = await books.of_client(seen, ClientRole.READER)
    listed = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    csv = f"ID,Name,Code\n,Seen,7\n{hidden.id},,8\n,Foreign,9\n"

    theirs, nobodys = await preview_codes(reader, csv, Layout()), await preview_codes(listed, csv, Layout())

    assert [(match.line.number, became.outcome) for match, became in theirs.matched] == [(2, "FORBIDDEN")]
    assert [line.number for line in theirs.unmatched] == [3, 4]
    assert [line.number for line in nobodys.unmatched] == [2, 3, 4]


async def test_a_preview_waits_for_nobody(books: Books) -> None:
    one = await books.client("One")
    held = books.sql.transaction()
    await held.start()
    try:
        await books.sql.execute("SELECT FROM client WHERE id = $1 FOR UPDATE", one.id)
        await books.sql.execute("SELECT FROM practice WHERE id = $1 FOR UPDATE", books.practice_id)

        preview = await preview_codes(books.admin, "Name,Code\nOne,1", Layout())
    finally:
        await held.rollback()

    assert [outcome.outcome for _, outcome in preview.matched] == ["SET"]


async def test_a_thousand_rows_take_the_statements_of_one_in_one_transaction(books: Books) -> None:
    ids = await books.clients(1_001)
    request = [Coded(client_id=client_id, code=f"C-{place}") for place, client_id in enumerate(ids)]
    shifted = [Coded(client_id=row.client_id, code=other.code) for row, other in pairwise(request)]
    await all_connected()

    with taken_down() as few:
        await set_codes(books.admin, request[:1])
    await set_codes(books.admin, request)
    with taken_down() as many:
        became = await set_codes(books.admin, [*shifted, Coded(client_id=ids[-1], code="C-0")])

    assert outcomes(became) == ["SET"] * 1_001
    assert ours(many) == ours(few)
    assert len(ours(many)) == 7
    assert transactions(many) == 1


async def test_more_than_five_thousand_rows_are_refused_as_a_whole(books: Books) -> None:
    with pytest.raises(Invalid, match="at most 5,000 codes; this one has 5,001"):
        await set_codes(books.admin, [Coded(client_id=ClientId(new_id()), code=None)] * 5_001)
