"""What the board costs in a practice of 5,000 clients and 10,000 connections among fifty practices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest

from tests.support.books import BOOKKEEPING, Books, open_books, pretending
from tests.support.deployment import Deployment
from tests.support.plans import Node, explained, forget_statistics, handled, sent_by
from tests.support.rows import Filler
from tieline.connections.board.repository import BoardSort
from tieline.connections.board.service import list_board
from tieline.connections.states import Reason, Status
from tieline.ids import PersonId, PracticeId, TeamId
from tieline.pages import Direction
from tieline.practices.service import create_team

OTHERS, FEW, MANY = 49, 100, 5_000
DIVIDED = """
WITH others AS (
     INSERT INTO practice (id, name, plan, settings, created_at)
     SELECT gen_random_uuid(), 'Other', 'STANDARD', '{}', $1 FROM generate_series(1, $2) RETURNING id)
INSERT INTO credential (id, practice_id, provider_app_id, subject, person_id, scopes, state, access_expires_at,
                        refreshed_at, created_at)
SELECT gen_random_uuid(), others.id, others.id, n::text, others.id, '{}', 'DEAD', $1, $1, $1
  FROM others CROSS JOIN generate_series(1, 8) AS n
"""
"""Other practices with the logins of a few people."""
FILL = """
WITH practices AS (
     SELECT practice_id, array_agg(id) AS through
       FROM credential WHERE practice_id = ANY ($1::uuid[]) GROUP BY practice_id),
     made AS (
     INSERT INTO client (id, practice_id, name, name_key, team_id, detail_sources, created_at)
     SELECT gen_random_uuid(), practice_id, 'Client ' || n, 'client ' || lpad(n::text, 5, '0'),
            CASE WHEN n % 5 = 0 THEN $3::uuid END, '{}', $4::timestamptz
       FROM practices CROSS JOIN generate_series(1, $2) AS n
     RETURNING practice_id, id, name),
     worded AS (
     INSERT INTO client_word (practice_id, word, client_id)
     SELECT practice_id, unnest(string_to_array(lower(name), ' ')), id FROM made),
     held AS (
     INSERT INTO organisation (id, practice_id, provider, environment, external_id, name, name_key, client_id,
                               last_synced_at, created_at)
     SELECT gen_random_uuid(), practice_id, 'pretend', 'LIVE', id::text, name, lower(name), id, $4, $4 FROM made
     RETURNING practice_id, id, client_id),
     reached AS (
     SELECT held.*, through[1 + (hashtext(held.id::text) & 7)] AS credential_id
       FROM held JOIN practices USING (practice_id)),
     consented AS (
     INSERT INTO consent (practice_id, credential_id, organisation_id, consented_at)
     SELECT practice_id, credential_id, id, $4::timestamptz - interval '340 days' FROM reached)
INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, reason, mismatch,
                        connected_at, changed_at)
SELECT gen_random_uuid(), practice_id, client_id, product, id, credential_id,
       CASE WHEN hashtext(id::text) % 7 = 0 THEN 'TOKEN_EXPIRED' END, hashtext(id::text) % 5 = 0, $4, $4
  FROM reached CROSS JOIN unnest(ARRAY['BOOKKEEPING', 'DATA_HEALTH']) AS product
"""
"""Clients that are connected for both products, a fifth of them of a team."""
TABLES = ("client", "client_word", "connection", "organisation", "credential", "consent", "person", "team")


@dataclass(frozen=True, kw_only=True)
class Large:
    """A practice of many clients, one of its teams, and somebody who integrated some of them."""

    books: Books
    team_id: TeamId
    integrator: PersonId


async def opened_large(sql: asyncpg.Connection) -> Large:
    books = await open_books(sql)
    colleague = (await books.member()).person_id
    assert colleague is not None
    for number in range(8):
        await books.credential(colleague if number == 0 else None)
    team_id = await create_team(books.practice_id, "Of some")
    await fill(sql, [books.practice_id], MANY, team_id)
    return Large(books=books, team_id=team_id, integrator=colleague)


async def fill(
    sql: asyncpg.Connection, practices: list[PracticeId], count: int, team_id: TeamId | None
) -> None:
    """So many clients for each; unchecked, which takes a third of the time."""
    async with sql.transaction():
        await sql.execute("SET LOCAL session_replication_role = replica")
        await sql.execute(FILL, practices, count, team_id, datetime.now(UTC))


async def others(sql: asyncpg.Connection) -> list[PracticeId]:
    async with sql.transaction():
        await sql.execute("SET LOCAL session_replication_role = replica")
        await sql.execute(DIVIDED, datetime.now(UTC), OTHERS)
    found = [row["id"] for row in await sql.fetch("SELECT id FROM practice WHERE name = 'Other'")]
    await fill(sql, found, FEW, None)
    return found


@pytest.fixture(scope="module")
async def practices(opened: Deployment, sql: asyncpg.Connection) -> AsyncIterator[dict[str, Large]]:  # noqa: ARG001
    """Of many clients each: one that the planner knows among fifty, and one that it has not seen."""
    small = await others(sql)
    with pretending():
        known = await opened_large(sql)
        await sql.execute(f"ANALYZE {', '.join(TABLES)}")
        unseen = await opened_large(sql)
    yield {"known": known, "unseen": unseen}
    await (await Filler.over(sql)).forget(*small, known.books.practice_id, unseen.books.practice_id)
    # Other plans are not to depend on how large the tables were here, nor on their being empty now.
    await sql.execute(f"VACUUM FULL {', '.join(TABLES)}")
    await forget_statistics(sql, *TABLES)


@pytest.fixture(params=["known", "unseen"])
def large(practices: dict[str, Large], request: pytest.FixtureRequest) -> Large:
    return practices[request.param]


async def own_rows(large: Large) -> dict[str, int]:
    """How many rows the practice has in each table."""
    count = "SELECT count(*) FROM {} WHERE practice_id = $1"
    sql, practice_id = large.books.sql, large.books.practice_id
    return {table: await sql.fetchval(count.format(table), practice_id) for table in TABLES}


def filters(large: Large) -> list[dict[str, Any]]:
    """None, each alone, and as many together as leave some lines."""
    each: list[dict[str, Any]] = [
        {"reasons": [Reason.TOKEN_EXPIRED]},
        {"search": "cli 1"},
        {"providers": ["pretend"]},
        {"team_ids": [large.team_id]},
        {"integrated_by": large.integrator},
        {"statuses": [Status.MISMATCH, Status.EXPIRED]},
        {"with_warnings": True},
        {"expiring_before": datetime.now(UTC) + timedelta(days=60)},
    ]
    together = {name: value for one in each[1:] for name, value in one.items()}
    return [{}, together, *each]


def scans(nodes: list[Node]) -> dict[str, list[float]]:
    """How many rows each scan of a table has handled, the most first."""
    found = defaultdict(list)
    for node in nodes:
        if "Relation Name" in node:
            found[node["Relation Name"]].append(handled(node))
    return {table: sorted(counts, reverse=True) for table, counts in found.items()}


@pytest.mark.parametrize("sort", [*BoardSort])
async def test_page_total_and_counts_are_one_statement_that_reads_this_practices_rows_and_no_other(
    large: Large, sort: BoardSort
) -> None:
    own, admin = await own_rows(large), large.books.admin

    for given in filters(large)[: None if sort is BoardSort.NAME else 2]:
        query = partial(list_board, admin, BOOKKEEPING, first=100, sort=sort, **given)
        sent = await sent_by(query)

        nodes = await explained(large.books.practice_id, sent)

        for node in (node for node in nodes if "Relation Name" in node):
            once = handled(node) / node["Actual Loops"] if node["Actual Loops"] else 0
            most = own.get(node["Relation Name"], 1) if node["Actual Loops"] == 1 else 1
            assert once <= most, (given, node)
        assert max(handled(node) for node in nodes) <= 2 * MANY, given


@pytest.mark.parametrize("direction", [*Direction])
@pytest.mark.parametrize("is_first", [True, False], ids=["the first page", "a later one"])
async def test_by_name_a_page_reads_its_rows_and_one_more_from_the_index(
    large: Large, direction: Direction, *, is_first: bool
) -> None:
    admin = large.books.admin
    page = await list_board(admin, BOOKKEEPING, first=200, direction=direction)
    after = None if is_first else page.cursors[-1]

    sent = await sent_by(lambda: list_board(admin, BOOKKEEPING, first=50, direction=direction, after=after))

    nodes = await explained(large.books.practice_id, sent)
    by_name = [node for node in nodes if node.get("Index Name") == "client_by_name"]
    assert 51 in [handled(node) for node in by_name]
    assert scans(nodes)["client"] == [MANY, 51, 51], "all are counted; the page is read, and looked up"
    assert scans(nodes)["connection"] == [MANY, 51, 51]
    assert scans(nodes)["organisation"] == [51]
    assert max(scans(nodes)["credential"]) <= 51
    assert [node for node in nodes if node["Node Type"] == "Sort" and handled(node) > 51] == []
