"""What reading and writing cost where the planner knows fifty practices, and one that it has not seen yet."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books, open_books, pretending
from tests.support.deployment import Deployment
from tests.support.rows import Filler
from tests.support.statements import Statement, all_connected, taken_down
from tieline.clients.codes.decisions import Coded
from tieline.clients.codes.reading import Layout
from tieline.clients.codes.service import preview_codes, set_codes
from tieline.connections.board.repository import BoardSort
from tieline.connections.board.service import list_board
from tieline.connections.decisions import Asked
from tieline.connections.export.service import export_clients
from tieline.connections.integrators.service import list_integrators
from tieline.connections.listing.service import list_connections
from tieline.connections.moving.service import (
    count_broken,
    preview_reassign,
    preview_reconnect_all,
    reassign,
    reconnect_all,
)
from tieline.connections.service import bulk_connect, connections_of_clients, preview_bulk_connect
from tieline.connections.states import Status
from tieline.connections.suggestions.service import find_namesakes, suggest_clients
from tieline.database import scope
from tieline.ids import PracticeId, SignInId
from tieline.principal import ClientAccess, Permission

FILL = """
WITH made AS (
     INSERT INTO client (id, practice_id, name, name_key, detail_sources, created_at)
     SELECT gen_random_uuid(), $1, 'Client ' || n, 'client ' || n, '{}', clock_timestamp()
       FROM generate_series(1, $2) AS n
     RETURNING practice_id, id, name),
     worded AS (
     INSERT INTO client_word (practice_id, word, client_id) SELECT practice_id, 'client', id FROM made),
     held AS (
     INSERT INTO organisation (id, practice_id, provider, environment, external_id, name, name_key, client_id,
                               created_at)
     SELECT gen_random_uuid(), practice_id, 'pretend', 'LIVE', id::text, name, lower(name), id, clock_timestamp()
       FROM made
     RETURNING practice_id, id, client_id)
INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, mismatch, connected_at,
                        changed_at)
SELECT gen_random_uuid(), practice_id, client_id, 'BOOKKEEPING', id, ($3::uuid[])[1 + (hashtext(id::text) & 7)], false,
       clock_timestamp(), clock_timestamp()
  FROM held
"""
TABLES = "client, client_word, connection, organisation, credential, sign_in, sign_in_organisation, consent"


Node = dict[str, Any]


class Undone(Exception):
    """Takes back what explaining a statement did."""


async def fill(books: Books, count: int) -> Books:
    credentials = [await books.credential() for _ in range(10)]
    await books.sql.execute(FILL, books.practice_id, count, credentials)
    return books


async def signed_in(books: Books) -> SignInId:
    """A sign-in that found all organisations of a practice."""
    found = await books.sql.fetch("SELECT id FROM organisation WHERE practice_id = $1", books.practice_id)
    return await books.sign_in(await books.credential(), [row["id"] for row in found])


@pytest.fixture(scope="module")
async def crowd(opened: Deployment, sql: asyncpg.Connection) -> AsyncIterator[Books]:  # noqa: ARG001
    """A practice of 220 among fifty others, and the planner knows of it."""
    with pretending():
        others = [await fill(await open_books(sql), 220) for _ in range(51)]
        for each in others:
            await signed_in(each)
    await sql.execute(f"ANALYZE {TABLES}")
    yield others[25]
    await (await Filler.over(sql)).forget(*(each.practice_id for each in others))
    await sql.execute(f"ANALYZE {TABLES}")


@pytest.fixture
async def fresh(crowd: Books) -> Books:
    """A practice of 2,000, of which the planner knows nothing."""
    return await fill(await open_books(crowd.sql), 2_000)


async def statements_of(call: Callable[[], Awaitable[Any]]) -> list[Statement]:
    """What a call sends, without what the driver asks of types that it meets for the first time."""
    await all_connected()
    with taken_down() as statements:
        await call()
    drivers = ("typeinfo_tree", "'jit'")
    return [each for each in statements if each.is_data and not any(sign in each.sql for sign in drivers)]


async def explained(practice_id: PracticeId, statement: Statement) -> list[Node]:
    """The nodes of the plan that this very statement has under the application's role."""
    with suppress(Undone):
        async with scope(practice_id) as opened:
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {statement.sql}"
            plan = json.loads(await opened.value(explain, *statement.arguments))
            raise Undone
    return list(nodes_of(plan[0]["Plan"]))


def nodes_of(plan: Node) -> Iterator[Node]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


def handled(node: Node) -> float:
    """How many rows a node of a plan made or threw away, over all its loops."""
    thrown = sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    count: float = (node["Actual Rows"] + thrown) * node["Actual Loops"]
    return count


async def most_handled(books: Books, call: Callable[[], Awaitable[Any]]) -> dict[str, float]:
    """For each statement that can be sent again: the most that a node of its plan has handled."""
    most = {}
    for statement in await statements_of(call):
        if "INSERT INTO connection" not in statement.sql:
            nodes = await explained(books.practice_id, statement)
            worst = max(nodes, key=handled)
            told = {name: value for name, value in worst.items() if name not in {"Plans", "Output"}}
            most[f"{statement.sql[:400]} … {told}"] = handled(worst)
    return most


@pytest.mark.parametrize("first", [1, 200])
async def test_a_list_of_connections_is_one_statement(crowd: Books, first: int) -> None:
    statements = await statements_of(lambda: list_connections(crowd.admin, first=first))

    assert len(statements) == 1


async def test_a_practice_that_the_planner_has_not_seen_is_read_once(fresh: Books) -> None:
    listed = await fresh.member(Permission.SYNC, clients=ClientAccess.LISTED)
    await fresh.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) "
        "SELECT practice_id, $2, id FROM client WHERE practice_id = $1",
        fresh.practice_id,
        listed.person_id,
    )
    clients = [
        row["id"]
        for row in await fresh.sql.fetch("SELECT id FROM client WHERE practice_id = $1", fresh.practice_id)
    ]
    found = [
        row["id"]
        for row in await fresh.sql.fetch(
            "SELECT id FROM organisation WHERE practice_id = $1", fresh.practice_id
        )
    ]
    sign_in_id = await fresh.sign_in(await fresh.credential(), found)
    pairs = await fresh.sql.fetch(
        "SELECT client_id, organisation_id FROM connection WHERE practice_id = $1 LIMIT 1000",
        fresh.practice_id,
    )
    rows = [Asked(client_id=pair["client_id"], organisation_id=pair["organisation_id"]) for pair in pairs]
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: list_board(fresh.admin, BOOKKEEPING, first=200, search="client", providers=["pretend"]),
        lambda: list_board(fresh.admin, DATA_HEALTH, first=200, sort=BoardSort.ORGANISATION),
        lambda: list_board(fresh.admin, BOOKKEEPING, first=200, with_warnings=True),
        lambda: list_connections(fresh.admin, first=200, search="client", providers=["pretend"]),
        lambda: list_connections(listed, first=200, integrated_by=fresh.me),
        lambda: connections_of_clients(listed, clients[:200]),
        lambda: suggest_clients(fresh.admin, sign_in_id, DATA_HEALTH, found[:200]),
        lambda: suggest_clients(fresh.admin, sign_in_id, BOOKKEEPING, found[:200]),
        lambda: bulk_connect(fresh.admin, sign_in_id, BOOKKEEPING, rows),
        lambda: bulk_connect(fresh.admin, sign_in_id, DATA_HEALTH, rows),
    ]

    most = [await most_handled(fresh, call) for call in calls]

    assert [each for each in most if max(each.values()) > 3 * 2_000] == []


async def test_a_practice_that_the_planner_has_not_seen_is_exported_coded_and_foreseen_by_reading_it_once(
    fresh: Books,
) -> None:
    sign_in_id = await signed_in(fresh)
    standing = await fresh.sql.fetch(
        "SELECT id, client_id, organisation_id FROM connection WHERE practice_id = $1 LIMIT 1000",
        fresh.practice_id,
    )
    rows = [Asked(client_id=each["client_id"], organisation_id=each["organisation_id"]) for each in standing]
    found = [row.organisation_id for row in rows[:200]]
    coded = [Coded(client_id=row.client_id, code=f"C-{number}") for number, row in enumerate(rows)]
    shown = [Status.UNINTEGRATED, Status.CONNECTED]
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: export_clients(fresh.admin),
        lambda: export_clients(fresh.admin, search="client", statuses=shown),
        lambda: list_integrators(fresh.admin, provider="pretend"),
        lambda: find_namesakes(fresh.admin, found),
        lambda: preview_codes(fresh.admin, "Name,Code\nClient 1,C-1", Layout()),
        lambda: set_codes(fresh.admin, coded),
        lambda: preview_bulk_connect(fresh.admin, sign_in_id, BOOKKEEPING, rows),
        lambda: preview_reassign(fresh.admin, sign_in_id, [each["id"] for each in standing]),
    ]

    most = [await most_handled(fresh, call) for call in calls]

    assert [each for each in most if max(each.values()) > 3 * 2_000] == []


async def test_mending_all_of_a_practice_that_the_planner_has_not_seen_reads_it_once(fresh: Books) -> None:
    await fresh.sql.execute(
        "UPDATE connection SET reason = 'TOKEN_EXPIRED' WHERE practice_id = $1", fresh.practice_id
    )
    sign_in_id = await signed_in(fresh)
    chosen = await fresh.sql.fetch(
        "SELECT id FROM connection WHERE practice_id = $1 LIMIT 1000", fresh.practice_id
    )
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: count_broken(fresh.admin, "pretend"),
        lambda: preview_reconnect_all(fresh.admin, sign_in_id),
        lambda: reconnect_all(fresh.admin, sign_in_id),
        lambda: reassign(fresh.admin, sign_in_id, [row["id"] for row in chosen]),
    ]

    most = [await most_handled(fresh, call) for call in calls]

    assert [each for each in most if max(each.values()) > 3 * 2_000] == []


async def test_all_clients_of_a_large_practice_that_the_planner_has_not_seen_are_looked_at_once(
    crowd: Books,
) -> None:
    large = await open_books(crowd.sql)
    clients = await large.clients(6_000)
    found = await large.organisations("CLIENT 00000 Ltd", "CLIENT 05999 Ltd")
    sign_in_id = await large.sign_in(await large.credential(), found)

    suggested = await suggest_clients(large.admin, sign_in_id, BOOKKEEPING, found)
    most = await most_handled(large, lambda: suggest_clients(large.admin, sign_in_id, BOOKKEEPING, found))

    best = [suggested[organisation_id][0] for organisation_id in found]
    assert [(each.client_id, each.score) for each in best] == [(clients[0], 100), (clients[-1], 100)]
    assert {statement: count for statement, count in most.items() if count > 3 * 6_000} == {}
