"""How much a page of clients costs: the same statements for one row and for two hundred, and no row too many read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment
from tests.support.firm import Firm, open_firm
from tests.support.statements import Statement, all_connected, taken_down
from tieline.clients.service import list_clients
from tieline.database import scope
from tieline.identity import authenticate
from tieline.pages import Direction
from tieline.principal import ClientAccess, Permission
from tieline.settings import load
from tieline_gateway.app import create_app
from tieline_gateway.settings import GatewaySettings

CLIENTS = 220
OTHERS = 50
PAGE = "query($first: Int!) { clients(first: $first) { totalCount nodes { id name team { name } } } }"
FILL = """
WITH made AS (
    INSERT INTO client (id, practice_id, name, name_key, team_id, detail_sources, created_at)
    SELECT gen_random_uuid(), $1, 'Client ' || n, 'client ' || lpad(n::text, 4, '0'),
           ($2::uuid[])[1 + n % cardinality($2::uuid[])], '{}', clock_timestamp()
      FROM generate_series(1, $3) AS n
 RETURNING practice_id, id, name)
INSERT INTO client_word (practice_id, word, client_id) SELECT practice_id, 'client', id FROM made
"""


@pytest.fixture(scope="module")
async def crowded(opened: Deployment, http: httpx.AsyncClient) -> AsyncIterator[Firm]:
    """A practice of many clients and teams among fifty others, and the planner knows of it."""
    firm = await open_firm(http)
    connection = await opened.connect()
    teams = [await firm.team(f"Team {number}") for number in range(7)]
    await connection.execute(FILL, firm.practice_id, teams, CLIENTS)
    await connection.execute(
        "INSERT INTO practice (id, name, plan, settings, created_at) "
        "SELECT gen_random_uuid(), 'Other', 'STANDARD', '{}', clock_timestamp() FROM generate_series(1, $1)",
        OTHERS,
    )
    for other in await connection.fetch("SELECT id FROM practice WHERE name = 'Other'"):
        await connection.execute(FILL, other["id"], [None], CLIENTS)
    await connection.execute("ANALYZE client, client_word, team")
    yield firm
    await connection.execute("DELETE FROM practice WHERE name = 'Other'")
    await connection.execute("ANALYZE client, client_word, team")
    await connection.close()


@pytest.fixture
async def inside(crowded: Firm, opened: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application within this process, where statements can be taken down."""
    app = create_app(opened.settings, load(GatewaySettings))
    await authenticate(crowded.admin.key)  # that the key is in use is written down once an hour
    await all_connected()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://inside",
        headers={"authorization": f"Bearer {crowded.admin.key}"},
    ) as client:
        yield client


async def data_statements(client: httpx.AsyncClient, first: int) -> list[str]:
    with taken_down() as statements:
        answer = await client.post("/graphql", json={"query": PAGE, "variables": {"first": first}})
    page = answer.json()["data"]["clients"]
    assert (len(page["nodes"]), page["totalCount"]) == (first, CLIENTS)
    assert all(node["team"]["name"].startswith("Team ") for node in page["nodes"])
    return [statement.sql for statement in statements if statement.is_data]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


async def explained(firm: Firm, statement: Statement) -> list[dict[str, Any]]:
    """The nodes of the plan that this very statement has under the application's role."""
    async with scope(firm.practice_id) as opened:
        plan = await opened.value(
            f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {statement.sql}", *statement.arguments
        )
    return list(nodes_of(json.loads(plan)[0]["Plan"]))


async def statement_of_page(firm: Firm, key: str, **query: Any) -> Statement:
    principal = await authenticate(key)
    await all_connected()
    with taken_down() as statements:
        await list_clients(principal, **query)
    (statement,) = [statement for statement in statements if statement.is_data]
    assert statement.arguments[0] == firm.practice_id
    return statement


async def test_a_page_takes_the_same_statements_whatever_its_size(inside: httpx.AsyncClient) -> None:
    small = await data_statements(inside, 1)
    large = await data_statements(inside, 200)

    assert len(small) == 3, "who is asking, the page, the teams"
    assert [sql[:60] for sql in large] == [sql[:60] for sql in small]


@pytest.mark.parametrize("direction", list(Direction))
async def test_a_page_by_name_reads_its_rows_and_one_more_from_the_index(
    crowded: Firm, direction: Direction
) -> None:
    statement = await statement_of_page(crowded, crowded.admin.key, first=50, direction=direction)

    nodes = await explained(crowded, statement)

    reads = [node for node in nodes if node.get("Index Name") == "client_by_name"]
    assert 51 in {node["Actual Rows"] for node in reads}
    assert [node for node in nodes if node["Node Type"] == "Sort" and node["Actual Rows"] > 51] == []


@pytest.mark.parametrize("query", [{}, {"search": "cli"}], ids=["all", "by word"])
async def test_a_page_reads_no_row_of_another_practice(crowded: Firm, query: dict[str, Any]) -> None:
    everybody = await statement_of_page(crowded, crowded.admin.key, first=50, **query)
    member = await crowded.member(Permission.SYNC, clients=ClientAccess.LISTED)
    listed = await statement_of_page(crowded, member.key, first=50, **query)

    for statement in (everybody, listed):
        for node in await explained(crowded, statement):
            read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            if node.get("Relation Name") in {"client", "client_word"}:
                assert read <= CLIENTS * node["Actual Loops"], node
                assert node["Node Type"] != "Seq Scan", node


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize("listed", [False, True], ids=["all clients", "listed clients"])
async def test_a_search_in_a_practice_that_the_planner_has_not_seen_reads_each_word_once(
    opened: Deployment, http: httpx.AsyncClient, *, listed: bool
) -> None:
    fresh = await open_firm(http)
    caller = await fresh.member(clients=ClientAccess.LISTED) if listed else fresh.admin
    connection = await opened.connect()
    await connection.execute(FILL, fresh.practice_id, [await fresh.team("Only")], 2_000)
    if listed:
        await connection.execute(
            "INSERT INTO member_client (practice_id, person_id, client_id) "
            "SELECT practice_id, $2, id FROM client WHERE practice_id = $1",
            fresh.practice_id,
            caller.person_id,
        )
    await connection.close()
    principal = await authenticate(caller.key)
    await all_connected()

    with taken_down() as seen:
        page = await list_clients(principal, search="client", first=50)

    statement = next(one for one in seen if "FROM matching" in one.sql)
    async with scope(principal.practice_id) as inside:
        plan = json.loads(
            await inside.value(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *statement.arguments)
        )
    assert page.total == 2_000
    assert max(rows_handled(plan[0]["Plan"])) <= 2 * 2_000


def rows_handled(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each node of a plan made or threw away, over all its loops."""
    thrown = sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    yield (node["Actual Rows"] + thrown) * node["Actual Loops"]
    for below in node.get("Plans", []):
        yield from rows_handled(below)
