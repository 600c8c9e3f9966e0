"""The board of all clients: every sort, filter and count against the whole, sorted by hand; and what it costs."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product as every
from typing import Any

import asyncpg
import pytest

from tests.connections.drawn_board import DAY, REASONS, Drawing, draw
from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books, open_books, pretending
from tests.support.deployment import Deployment
from tieline.connections.board.repository import BoardPage, BoardSort
from tieline.connections.board.service import list_board
from tieline.connections.service import disconnect
from tieline.connections.states import Reason, Status
from tieline.errors import CursorInvalid, Forbidden, Invalid
from tieline.ids import TeamId, new_id
from tieline.pages import Direction
from tieline.principal import ClientRole, Permission

STATUSES: list[tuple[Status, ...]] = [
    (),
    (Status.UNINTEGRATED,),
    (Status.CONNECTED,),
    (Status.MISMATCH,),
    (Status.EXPIRED, Status.UNINTEGRATED),
    tuple(Status),
]


@pytest.fixture(scope="module")
async def drawing(opened: Deployment, sql: asyncpg.Connection) -> Drawing:  # noqa: ARG001
    with pretending():
        return await draw(await open_books(sql), 7, 60)


async def paged(books: Books, first: int, **query: Any) -> list[BoardPage]:
    """Every page, to the end."""
    pages = [await list_board(books.admin, BOOKKEEPING, first=first, **query)]
    while pages[-1].has_next:
        pages.append(
            await list_board(books.admin, BOOKKEEPING, first=first, after=pages[-1].cursors[-1], **query)
        )
    return pages


async def assert_shown(drawing: Drawing, first: int, **query: Any) -> list[BoardPage]:
    """All pages together show what the drawing leaves, in order; each tells the total and counts all that is found."""
    sort, direction = query.get("sort", BoardSort.NAME), query.get("direction", Direction.ASC)
    found, left = drawing.found(query), drawing.left(query)
    whole = sorted(left, key=lambda line: line.key(sort), reverse=direction is Direction.DESC)
    counted = Counter(status for line in found for status in line.statuses)

    pages = await paged(drawing.books, first, **query)

    assert [row.client.id for page in pages for row in page.rows] == [line.id for line in whole]
    assert {page.total for page in pages} == {len(left)}
    assert [page.has_previous for page in pages] == [False] + [True] * (len(pages) - 1)
    for page in pages:
        assert page.counts == {status: counted[status] for status in Status}
    return pages


@pytest.mark.parametrize(("sort", "direction"), [*every(BoardSort, Direction)])
async def test_paged_to_its_end_a_board_is_the_sorted_whole(
    drawing: Drawing, sort: BoardSort, direction: Direction
) -> None:
    pages = await assert_shown(drawing, 7, sort=sort, direction=direction)

    lines = {line.id: line for line in drawing.lines}
    for row in (row for page in pages for row in page.rows):
        line = lines[row.client.id]
        assert (row.client.name, row.client.team_id, row.status) == (line.name, line.team_id, line.status)
        assert (row.connection is None) == (row.organisation is None) == (line.through is None)
        if row.connection and row.organisation and line.through:
            assert (row.connection.status, row.connection.client_id) == (line.status, line.id)
            assert row.connection.reason == line.reason
            assert (row.organisation.name, row.organisation.last_synced_at) == (
                line.organisation,
                line.synced,
            )
            assert row.connection.provider == row.organisation.provider == line.provider
            assert row.connection.organisation_name == line.organisation
            assert (row.connection.integrated_by, row.connection.login) == (
                line.through.person_id,
                line.through.login,
            )


@pytest.mark.parametrize("statuses", STATUSES)
@pytest.mark.parametrize("providers", [(), ("pretend",), ("pretend", "feigned"), ("nobody",)])
@pytest.mark.parametrize("search", [None, "acm", "zoe c", "nothing"])
async def test_filters_leave_what_they_say_and_counts_go_by_those_of_clients(
    drawing: Drawing, statuses: tuple[Status, ...], providers: tuple[str, ...], search: str | None
) -> None:
    await assert_shown(drawing, 25, statuses=statuses, providers=providers, search=search)


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_the_data_and_the_filters_paging_loses_and_repeats_nothing(
    sql: asyncpg.Connection, seed: int
) -> None:
    drawing = await draw(await open_books(sql), seed, 24)
    chance = random.Random(seed)  # noqa: S311 - drawn data, no secret

    for sort, direction in every(BoardSort, Direction):
        await assert_shown(drawing, chance.randint(1, 9), sort=sort, direction=direction)
        filters = drawn_filters(chance, drawing)
        await assert_shown(drawing, chance.randint(1, 9), sort=sort, direction=direction, **filters)


def drawn_filters(chance: random.Random, drawing: Drawing) -> dict[str, Any]:
    """Some filters, each so wide that several together leave lines."""
    reasons = [reason for reason in REASONS if reason is not None]
    every_one: dict[str, Any] = {
        "search": chance.choice(["a", "z", "e", "acme"]),
        "providers": chance.choice([("pretend",), ("feigned", "pretend")]),
        "team_ids": chance.sample(drawing.teams, 2),
        "integrated_by": chance.choice(drawing.through).person_id,
        "statuses": chance.choice(STATUSES),
        "reasons": chance.sample(reasons, 2),
        "with_warnings": True,
        "expiring_before": drawing.at + chance.choice([-DAY, 5 * DAY, 45 * DAY, 400 * DAY]),
    }
    return {name: every_one[name] for name in chance.sample(sorted(every_one), chance.randint(1, 2))}


async def test_each_filter_is_tried_where_it_leaves_some_lines_and_not_all(drawing: Drawing) -> None:
    tried: list[dict[str, Any]] = [
        {"team_ids": drawing.teams[:1]},
        {"team_ids": drawing.teams},
        {"integrated_by": drawing.through[1].person_id},
        {"reasons": [Reason.ACCESS_LOST]},
        {"reasons": [Reason.ACCESS_LOST, Reason.DISCONNECTED], "team_ids": drawing.teams[:2]},
        {"with_warnings": True},
        {"expiring_before": drawing.at + 45 * DAY},
        {"expiring_before": drawing.at + 400 * DAY, "integrated_by": drawing.through[2].person_id},
    ]

    for filters in tried:
        (page,) = await assert_shown(drawing, 200, **filters)
        assert 0 < page.total < 60, filters
    for nothing in ({"team_ids": [TeamId(new_id())]}, {"expiring_before": drawing.at - 400 * DAY}):
        assert (await assert_shown(drawing, 200, **nothing))[0].total == 0


async def test_what_expires_before_an_instant_works_now_and_ends_earlier_than_that(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    at = datetime.now(UTC)
    ends = at + 90 * DAY
    await books.sql.execute(
        "UPDATE consent SET consented_at = $2 WHERE credential_id = $1",
        made.credential_id,
        ends - 365 * DAY,
    )

    async def total(until: datetime) -> int:
        return (await list_board(books.admin, BOOKKEEPING, expiring_before=until)).total

    assert [await total(ends), await total(ends + timedelta.resolution)] == [0, 1]
    assert [await total(at), await total(datetime.min.replace(tzinfo=UTC))] == [0, 0]
    assert await total(datetime.max.replace(tzinfo=UTC)) == 1
    await books.expire(made, "TOKEN_EXPIRED")
    assert await total(ends + DAY) == 0


async def test_the_products_are_separate_and_only_current_connections_count(books: Books) -> None:
    client = await books.client("Acme")
    first = await books.connected(client, await books.organisation("First"))
    await disconnect(books.admin, first.id)
    second = await books.connected(client, await books.organisation("Acme"))

    (line,) = (await list_board(books.admin, BOOKKEEPING)).rows
    (other,) = (await list_board(books.admin, DATA_HEALTH)).rows

    assert (line.connection, line.status) == (second, Status.CONNECTED)
    assert line.client == client
    assert (other.connection, other.organisation, other.status) == (None, None, Status.UNINTEGRATED)


async def test_an_empty_board_counts_nothing_and_has_a_cursor_of_events(books: Books) -> None:
    page = await list_board(books.admin, BOOKKEEPING)

    assert (page.rows, page.total, page.has_next) == ((), 0, False)
    assert page.counts == dict.fromkeys(Status, 0)
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    _, told = await books.told(books.admin, page.event_cursor, "CLIENT_CREATED", "CONNECTION_CONNECTED")
    assert told.payload["connection_id"] == str(made.id)


async def test_a_cursor_is_good_for_its_own_list_only(drawing: Drawing, other_books: Books) -> None:
    books = drawing.books
    page = await list_board(books.admin, BOOKKEEPING, first=2)
    cursor = page.cursors[0]

    others: list[dict[str, Any]] = [
        {"sort": BoardSort.STATUS},
        {"direction": Direction.DESC},
        {"search": "acme"},
        {"statuses": [Status.EXPIRED]},
        {"providers": ["pretend"]},
        {"reasons": [Reason.DISCONNECTED]},
        {"team_ids": drawing.teams},
        {"integrated_by": drawing.through[0].person_id},
        {"with_warnings": True},
        {"expiring_before": drawing.at},
    ]
    for query in others:
        with pytest.raises(CursorInvalid):
            await list_board(books.admin, BOOKKEEPING, after=cursor, **query)
    with pytest.raises(CursorInvalid):
        await list_board(books.admin, DATA_HEALTH, after=cursor)
    with pytest.raises(CursorInvalid):
        await list_board(other_books.admin, BOOKKEEPING, after=cursor)
    with pytest.raises(CursorInvalid):
        await list_board(books.admin, BOOKKEEPING, after="x")
    with pytest.raises(Invalid):
        await list_board(books.admin, BOOKKEEPING, first=201)
    with pytest.raises(Invalid, match="100"):
        await list_board(books.admin, BOOKKEEPING, team_ids=drawing.teams[:1] * 101)
    same = await list_board(books.admin, BOOKKEEPING, first=1, after=cursor)
    assert same.rows == page.rows[1:]


async def test_only_admins_open_it_and_see_their_own_practice(books: Books, other_books: Books) -> None:
    client = await books.client("Acme")
    for principal in (
        await books.member(*Permission),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
        await books.calling(None, scopes=frozenset(Permission)),
    ):
        with pytest.raises(Forbidden, match="practice admin"):
            await list_board(principal, BOOKKEEPING)

    assert (await list_board(other_books.admin, BOOKKEEPING)).total == 0
