"""Which client an organisation probably is: the same name first, then the nearest."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.connections.suggestions.matching import (
    EXACT,
    MOST,
    MOST_NAMESAKES,
    Candidate,
    Sought,
    Suggestion,
    namesakes,
    suggest,
)
from tieline.connections.suggestions.service import find_namesakes, suggest_clients
from tieline.errors import Invalid, NotFound, SignInNotReady
from tieline.ids import ClientId, OrganisationId, new_id
from tieline.principal import ClientRole


def clients(*names: str, legal: dict[str, str] | None = None) -> list[Candidate]:
    return [
        Candidate(client_id=ClientId(UUID(int=number)), name=name, legal_name=(legal or {}).get(name))
        for number, name in enumerate(names, start=1)
    ]


def organisations(*names: str, served: dict[str, int] | None = None) -> list[Sought]:
    return [
        Sought(
            organisation_id=OrganisationId(UUID(int=number)),
            name=name,
            client_id=ClientId(UUID(int=(served or {})[name])) if served and name in served else None,
        )
        for number, name in enumerate(names, start=101)
    ]


def told(*arguments: list[Sought] | list[Candidate]) -> list[list[tuple[int, int]]]:
    """For each organisation, the numbers of the clients and their scores."""
    found = suggest(*arguments)  # type: ignore[arg-type]
    return [[(each.client_id.int, each.score) for each in listed] for listed in found.values()]


@pytest.mark.parametrize(
    ("organisation", "client"),
    [
        ("ACME LIMITED", "Acme Ltd"),
        ("Smith & Sons", "smith and sons plc"),
        ("Café Zoë", "CAFE ZOE"),
        ("O'Brien Pty", "OBrien"),
    ],
)
def test_the_same_business_spelt_otherwise_is_exact(organisation: str, client: str) -> None:
    assert told(organisations(organisation), clients("Another", client)) == [[(2, EXACT)]]


def test_a_legal_name_counts_like_a_name() -> None:
    known = clients("Trading As", legal={"Trading As": "Acme Holdings Ltd"})

    assert told(organisations("Acme Holdings"), known) == [[(1, EXACT)]]
    sought = [Sought(organisation_id=OrganisationId(UUID(int=9)), name="Shop", legal_name="Trading As Ltd")]
    assert told(sought, known) == [[(1, EXACT)]]


def test_near_names_follow_best_first_and_at_most_three_and_what_is_far_does_not() -> None:
    known = clients("Acme Trading UK", "Acme Trading GB", "Trading Acme", "Acme Tradings", "Zebra")

    ((best, *more),) = told(organisations("Acme Trading"), known)

    assert best == (3, EXACT - 1)
    assert len(more) == MOST - 1
    assert more[0][0] == 4
    assert all(EXACT > score >= 75 for _, score in more)


def test_a_client_with_the_very_name_of_one_organisation_is_suggested_for_no_other() -> None:
    assert told(organisations("Acme Tradings", "Acme Trading"), clients("Acme Trading")) == [[], [(1, EXACT)]]
    assert told(organisations("Acme Ltd", "ACME"), clients("Acme")) == [[(1, EXACT)], []]


def test_clients_of_one_name_are_all_suggested() -> None:
    assert told(organisations("Acme"), clients("Acme", "ACME Ltd")) == [[(1, EXACT), (2, EXACT)]]


def test_an_organisation_that_serves_a_client_is_suggested_that_one_alone() -> None:
    known = clients("Acme", "Other")

    assert told(organisations("Acme", served={"Acme": 2}), known) == [[(2, EXACT)]]
    assert told(organisations("Acme", served={"Acme": 77}), known) == [[]]
    assert told(organisations("Other", "Acme", served={"Acme": 2}), known) == [[(2, EXACT)], []] or told(
        organisations("Other", "Acme", served={"Acme": 2}), known
    ) == [[], [(2, EXACT)]]


NAMES = st.text(alphabet="abcé &'LTDltd", min_size=1, max_size=8)


@given(st.lists(NAMES, max_size=8), st.lists(NAMES, max_size=8))
def test_whatever_the_names(sought: list[str], known: list[str]) -> None:
    found = suggest(organisations(*sought), clients(*known))

    assert len(found) == len(sought)
    exact: list[Suggestion] = []
    for listed in found.values():
        assert len(listed) <= MOST
        assert len({each.client_id for each in listed}) == len(listed)
        assert [each.score for each in listed] == sorted((each.score for each in listed), reverse=True)
        assert all(0 < each.score <= EXACT for each in listed)
        exact += [each for each in listed if each.score == EXACT]
    assert len({each.client_id for each in exact}) == len(exact)


async def test_suggested_are_clients_that_the_caller_sees_and_that_are_not_connected(books: Books) -> None:
    acme, bolt, other = [await books.client(name) for name in ("Acme", "Bolt Trading", "Bolt Tradings")]
    one, two = await books.organisations("Acme Ltd", "Bolt Trading")
    beyond = await books.organisation("Beyond")
    sign_in_id = await books.sign_in(await books.credential(), [one, two])
    reader = await books.of_client(other, ClientRole.READER)
    theirs = await books.sign_in(await books.credential(reader.person_id), [two], person_id=reader.person_id)

    before = await suggest_clients(books.admin, sign_in_id, BOOKKEEPING, [one, two, beyond])
    await books.connected(acme, one)
    after = await suggest_clients(books.admin, sign_in_id, BOOKKEEPING, [one, two])
    health = await suggest_clients(books.admin, sign_in_id, DATA_HEALTH, [one])
    seen = await suggest_clients(reader, theirs, BOOKKEEPING, [two])

    assert [each.client_id for each in before[one]] == [acme.id]
    assert [each.client_id for each in before[two]] == [bolt.id, other.id]
    assert set(before) == {one, two}
    assert after[one] == ()
    assert health[one] == (Suggestion(client_id=acme.id, score=EXACT),)
    assert [each.client_id for each in seen[two]] == [other.id]


async def test_no_more_clients_are_looked_at_than_the_schema_says(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.connections.suggestions.repository.MOST_CLIENTS", 2)
    found = await books.organisations("A", "B", "C")
    sign_in_id = await books.sign_in(await books.credential(), found)
    for name in ("C", "B", "A"):
        await books.client(name)

    suggested = await suggest_clients(books.admin, sign_in_id, BOOKKEEPING, found)

    assert [len(suggested[each]) for each in found] == [1, 1, 0]


async def test_suggestions_need_a_sign_in_of_the_callers_and_have_a_bound(books: Books) -> None:
    colleague = await books.member()
    sign_in_id = await books.sign_in(await books.credential(), [])
    started = await books.sign_in(await books.credential(), [], usable_for=None, state="STARTED")
    many = [OrganisationId(new_id()) for _ in range(201)]

    with pytest.raises(NotFound):
        await suggest_clients(colleague, sign_in_id, BOOKKEEPING, [])
    with pytest.raises(SignInNotReady):
        await suggest_clients(books.admin, started, BOOKKEEPING, [])
    with pytest.raises(Invalid, match="200"):
        await suggest_clients(books.admin, sign_in_id, BOOKKEEPING, many)
    assert await suggest_clients(books.admin, sign_in_id, BOOKKEEPING, many[:200]) == {}


def test_namesakes_are_all_that_bear_the_very_name_in_their_order_and_ten_at_most() -> None:
    known = clients("Acme Ltd", "Acme Group", "ACME", "Shop", legal={"Shop": "Acme Limited"})
    many = clients(*["Same"] * 12)

    found = namesakes(organisations("Acme", "Elsewhere"), known)
    first = namesakes(organisations("Same"), many)

    assert [[each.int for each in ids] for ids in found.values()] == [[1, 3, 4], []]
    assert [[each.int for each in ids] for ids in first.values()] == [list(range(1, MOST_NAMESAKES + 1))]


async def test_namesakes_are_found_whatever_they_are_connected_to_and_only_where_they_are_seen(
    books: Books, other_books: Books
) -> None:
    connected, free = await books.client("Acme Ltd"), await books.client("Acme")
    hidden = await books.client("Elsewhere")
    elsewhere, wanted = await books.organisations("Elsewhere", "ACME")
    await books.connected(connected, elsewhere)
    await books.sign_in(await books.credential(), [wanted])
    reader = await books.of_client(connected, ClientRole.READER)

    assert await find_namesakes(books.admin, [wanted, elsewhere]) == {
        wanted: (free.id, connected.id),
        elsewhere: (hidden.id,),
    }
    assert await find_namesakes(reader, [wanted, elsewhere]) == {elsewhere: ()}
    assert await find_namesakes(other_books.admin, [wanted]) == {}
    with pytest.raises(Invalid, match="at most 200 organisations"):
        await find_namesakes(books.admin, [OrganisationId(new_id())] * 201)
