"""What a page of connections costs: as many statements for one row as for sixty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment
from tests.support.firm import open_firm
from tests.support.sandbox import Sandbox
from tests.support.statements import Statement, all_connected, taken_down
from tests.support.trips import Trip
from tieline.settings import load
from tieline_gateway.app import create_app
from tieline_gateway.settings import GatewaySettings

ROWS = 60
_OF_THE_DRIVER = ("'jit'", "typeinfo_tree")  # it learns the types of each connection once
BULK = """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) { outcomes { code } errors { code } } }"""
PAGES = {
    "board": "query($first: Int!, $id: ID!) { page: connectionBoard(product: BOOKKEEPING, first: $first) { nodes { "
    "client { name team { name } } connection { id client { name } organisation { name provider { slug } } "
    "provider { name } integratedBy { login person { name } } lastSyncedAt "
    "lastRun { state organisation { name } } } } } signIn(id: $id) { id } }",
    "connections": "query($first: Int!, $id: ID!) { page: connections(first: $first) { nodes { id client { name } "
    "organisation { name provider { slug } } integratedBy { person { name } } } } signIn(id: $id) { id } }",
    "clients": "query($first: Int!, $id: ID!) { page: clients(first: $first) { nodes { name connections { "
    "statuses organisation { name } client { name } } } } signIn(id: $id) { id } }",
    "sign-in": "query($first: Int!, $id: ID!) { signIn(id: $id) { provider { name } organisations(first: $first) { "
    "nodes { organisation { name provider { slug } } client { name } suggestedClients(product: DATA_HEALTH) { "
    "client { name connections { id } } } } } } }",
}


@dataclass(frozen=True, kw_only=True)
class Inside:
    """The application within this process, where statements can be taken down."""

    http: httpx.AsyncClient = field(repr=False)
    sign_in_id: str

    async def statements(self, query: str, first: int) -> list[str]:
        body = {"query": query, "variables": {"first": first, "id": self.sign_in_id}}
        with taken_down() as statements:
            answer = (await self.http.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        assert len(nodes_of(answer["data"])) == first
        return [one.sql for one in statements if one.is_data and not is_of_the_driver(one)]


def is_of_the_driver(statement: Statement) -> bool:
    return any(sign in statement.sql for sign in _OF_THE_DRIVER)


def nodes_of(data: dict[str, Any]) -> list[Any]:
    page = data["page"] if "page" in data else data["signIn"]["organisations"]
    nodes: list[Any] = page["nodes"]
    return nodes


@pytest.fixture
async def inside(opened: Deployment, http: httpx.AsyncClient, sandbox: Sandbox) -> AsyncIterator[Inside]:
    """A practice whose sixty clients are all connected."""
    firm = await open_firm(http)
    trip = Trip(
        firm=firm,
        sandbox=sandbox,
        app=await sandbox.app(firm.practice_id),
        person=await sandbox.populate(organisations=ROWS),
        browser=http,
    )
    sign_in_id = await trip.ready()
    found = (
        await firm.admin.ask(
            "query($id: ID!) { signIn(id: $id) { organisations(first: 200) { nodes { "
            "organisation { id name } } } } }",
            id=sign_in_id,
        )
    )["signIn"]["organisations"]["nodes"]
    rows = [
        {
            "clientId": await firm.admin.create_client(node["organisation"]["name"]),
            "organisationId": node["organisation"]["id"],
        }
        for node in found
    ]
    given = {"signInId": sign_in_id, "product": "BOOKKEEPING", "rows": rows}
    outcomes = (await firm.admin.ask(BULK, input=given))["bulkConnect"]["outcomes"]
    assert [one["code"] for one in outcomes] == ["CONNECTED"] * ROWS
    await all_connected()
    app = create_app(opened.settings, load(GatewaySettings))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://inside",
        headers={"authorization": f"Bearer {firm.admin.key}"},
    ) as client:
        yield Inside(http=client, sign_in_id=sign_in_id)


async def test_pages_of_connections_take_the_same_statements_whatever_their_size(inside: Inside) -> None:
    for name, query in PAGES.items():
        small = await inside.statements(query, 1)
        large = await inside.statements(query, ROWS)

        assert sorted(large) == sorted(small), name
        assert len(large) <= 13, (name, large)
