"""The board of all clients: every sort, filter and count against the whole, sorted by hand; and what it costs."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product as every
from typing import Any

import asyncpg
import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books, open_books, pretending
from tests.support.deployment import Deployment
from tieline.connections.board.repository import BoardPage, BoardSort
from tieline.connections.board.service import list_board
from tieline.connections.service import disconnect
from tieline.connections.states import Reason, Status
from tieline.errors import CursorInvalid, Forbidden, Invalid
from tieline.ids import ClientId, new_id
from tieline.names import name_key, name_words
from tieline.pages import Direction
from tieline.principal import ClientRole, Permission

NAMES = (
    "Acme",
    "acme",
    "Ácme",
    "Åcme Ltd",
    "Zoë & Co",
    "zoe and co",
    "山田商店",
    "1st Aid",
    "O'Brien",
    "ß Straße",
    "Éclair",
    "Ecl",
)
BOOKS = ("Books A", "books a", "Bücher", "Zed", "zed", "0 Books")
ORDER = (Status.UNINTEGRATED, Status.EXPIRED, Status.MISMATCH, Status.CONNECTED)
REASONS = (None, None, Reason.ACCESS_LOST, Reason.DISCONNECTED, Reason.TOKEN_EXPIRED)
SYNCED = (
    None,
    None,
    *(datetime(2031, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in (0, 0, 1, 999_999_999)),
)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a client's line should show."""

    id: ClientId
    name: str
    status: Status
    provider: str | None = None
    organisation: str | None = None
    synced: datetime | None = None

    def key(self, sort: BoardSort) -> tuple[Any, ...]:
        name = name_key(self.name)
        return {
            BoardSort.NAME: (name,),
            BoardSort.STATUS: (ORDER.index(self.status), name),
            BoardSort.LAST_SYNC: (self.synced or NEVER, name),
            BoardSort.ORGANISATION: (name_key(self.organisation or ""), name),
        }[sort] + (self.id,)

    @property
    def statuses(self) -> set[Status]:
        return {self.status} | ({Status.CONNECTED} if self.status is Status.MISMATCH else set())


def drawn(seed: int, count: int) -> list[Line]:
    """Lines of every kind, with ties in whatever there is to sort by."""
    chance = random.Random(seed)  # noqa: S311 - drawn data, no secret
    lines = [
        Line(id=ClientId(new_id()), name=chance.choice(NAMES), status=Status.UNINTEGRATED)
        for _ in range(count // 4)
    ]
    for _ in range(count - len(lines)):
        reason, mismatch = chance.choice(REASONS), chance.random() < 0.4
        status = Status.EXPIRED if reason is not None else (Status.MISMATCH if mismatch else Status.CONNECTED)
        lines.append(
            Line(
                id=ClientId(new_id()),
                name=chance.choice(NAMES),
                status=status,
                provider=chance.choice(("pretend", "feigned")),
                organisation=chance.choice(BOOKS),
                synced=chance.choice(SYNCED),
            )
        )
    chance.shuffle(lines)
    return lines


async def write(books: Books, lines: list[Line]) -> None:
    """The lines as rows; an expired one of an even id was disconnected, so that it holds nothing."""
    at = datetime.now(UTC)
    credential_id = await books.credential()
    for line in lines:
        await books.sql.execute(
            "INSERT INTO client (id, practice_id, name, name_key, detail_sources, created_at) "
            "VALUES ($1, $2, $3, $4, '{}', $5)",
            line.id,
            books.practice_id,
            line.name,
            name_key(line.name),
            at,
        )
        await books.sql.execute(
            "INSERT INTO client_word (practice_id, word, client_id) SELECT $1, unnest($2::text[]), $3",
            books.practice_id,
            list(name_words(line.name)),
            line.id,
        )
        if line.organisation is None:
            continue
        organisation_id = await books.organisation(line.organisation, provider=line.provider)
        await books.sql.execute(
            "UPDATE organisation SET client_id = $2, last_synced_at = $3 WHERE id = $1",
            organisation_id,
            line.id,
            line.synced,
        )
        gone = "DISCONNECTED" if line.id.int % 2 else "CONSENT_EXPIRED"
        await books.sql.execute(
            "INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, reason, "
            "mismatch, connected_at, changed_at) VALUES ($1, $2, $3, 'BOOKKEEPING', $4, $5, $6, $7, $8, $8)",
            new_id(),
            books.practice_id,
            line.id,
            organisation_id,
            credential_id,
            gone if line.status is Status.EXPIRED else None,
            line.status is Status.MISMATCH,
            at,
        )


@pytest.fixture(scope="module")
async def drawing(opened: Deployment, sql: asyncpg.Connection) -> tuple[Books, list[Line]]:  # noqa: ARG001
    with pretending():
        books = await open_books(sql)
    lines = drawn(7, 60)
    await write(books, lines)
    return books, lines


async def paged(books: Books, first: int, **query: Any) -> list[BoardPage]:
    """Every page, to the end."""
    pages = [await list_board(books.admin, BOOKKEEPING, first=first, **query)]
    while pages[-1].has_next:
        pages.append(
            await list_board(books.admin, BOOKKEEPING, first=first, after=pages[-1].cursors[-1], **query)
        )
    return pages


@pytest.mark.parametrize(("sort", "direction"), [*every(BoardSort, Direction)])
async def test_paged_to_its_end_a_board_is_the_sorted_whole(
    drawing: tuple[Books, list[Line]], sort: BoardSort, direction: Direction
) -> None:
    books, lines = drawing
    whole = sorted(lines, key=lambda line: line.key(sort), reverse=direction is Direction.DESC)

    pages = await paged(books, 7, sort=sort, direction=direction)

    shown = [row for page in pages for row in page.rows]
    assert [row.client.id for row in shown] == [line.id for line in whole]
    for row, line in zip(shown, whole, strict=True):
        assert (row.client.name, row.status) == (line.name, line.status)
        assert (row.connection is None) == (row.organisation is None) == (line.organisation is None)
        if row.connection is not None and row.organisation is not None:
            assert (row.connection.status, row.connection.client_id) == (line.status, line.id)
            assert (row.organisation.name, row.organisation.last_synced_at) == (
                line.organisation,
                line.synced,
            )
            assert row.connection.provider == row.organisation.provider == line.provider
            assert row.connection.organisation_name == line.organisation
            assert row.connection.integrated_by == books.me
    assert {page.total for page in pages} == {60}
    assert [page.has_previous for page in pages] == [False] + [True] * (len(pages) - 1)


@pytest.mark.parametrize(
    "statuses",
    [
        (),
        (Status.UNINTEGRATED,),
        (Status.CONNECTED,),
        (Status.MISMATCH,),
        (Status.EXPIRED, Status.UNINTEGRATED),
        tuple(Status),
    ],
)
@pytest.mark.parametrize("providers", [(), ("pretend",), ("pretend", "feigned"), ("nobody",)])
@pytest.mark.parametrize("search", [None, "acm", "zoe c", "nothing"])
async def test_filters_leave_what_they_say_and_counts_go_by_search_and_provider(
    drawing: tuple[Books, list[Line]],
    statuses: tuple[Status, ...],
    providers: tuple[str, ...],
    search: str | None,
) -> None:
    books, lines = drawing
    words = (search or "").split()
    found = [
        line
        for line in lines
        if (not providers or line.provider in providers)
        and all(any(own.startswith(word) for own in name_words(line.name)) for word in words)
    ]
    left = [line for line in found if not statuses or line.statuses & set(statuses)]

    pages = await paged(books, 25, statuses=statuses, providers=providers, search=search)

    assert [row.client.id for page in pages for row in page.rows] == [
        line.id for line in sorted(left, key=lambda line: line.key(BoardSort.NAME))
    ]
    counted = Counter(status for line in found for status in line.statuses)
    for page in pages:
        assert page.total == len(left)
        assert page.counts == {status: counted[status] for status in Status}


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_the_data_paging_loses_and_repeats_nothing(sql: asyncpg.Connection, seed: int) -> None:
    books = await open_books(sql)
    lines = drawn(seed, 24)
    await write(books, lines)
    chance = random.Random(seed)  # noqa: S311 - drawn data, no secret

    for sort, direction in every(BoardSort, Direction):
        pages = await paged(books, chance.randint(1, 9), sort=sort, direction=direction)

        whole = sorted(lines, key=lambda line: line.key(sort), reverse=direction is Direction.DESC)
        assert [row.client.id for page in pages for row in page.rows] == [line.id for line in whole]


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


async def test_a_cursor_is_good_for_its_own_list_only(
    drawing: tuple[Books, list[Line]], other_books: Books
) -> None:
    books, _ = drawing
    page = await list_board(books.admin, BOOKKEEPING, first=2)
    cursor = page.cursors[0]

    others: list[dict[str, Any]] = [
        {"sort": BoardSort.STATUS},
        {"direction": Direction.DESC},
        {"search": "acme"},
        {"statuses": [Status.EXPIRED]},
        {"providers": ["pretend"]},
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
    same = await list_board(books.admin, BOOKKEEPING, first=1, after=cursor)
    assert same.rows == page.rows[1:]


async def test_only_admins_open_it_and_see_their_own_practice(books: Books, other_books: Books) -> None:
    client = await books.client("Acme")
    for principal in (
        await books.member(*Permission),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
        await books.calling(None, scopes=frozenset(Permission)),
    ):
        with pytest.raises(Forbidden, match="ADMIN"):
            await list_board(principal, BOOKKEEPING)

    assert (await list_board(other_books.admin, BOOKKEEPING)).total == 0
