"""The lists read anew from the front end: seen at once, followed to the end, and nothing else is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.deployment import Gateway
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.syncing import Connected, connected, until_over

REFRESH = """mutation($id: ID!) { refreshLists(input: {connectionId: $id}) {
  run { id state trigger feeds { feed } } errors { code field } } }"""
LISTS = [
    *("accounts", "tax_rates", "tracking_categories", "contacts"),
    *("items", "currencies", "branding_themes"),
]


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


async def test_lists_are_read_anew_and_documents_are_left_to_the_next_sync(
    client: Connected, gateway: Gateway, start: Callable[..., Any]
) -> None:
    start("worker")
    start("scheduler")
    async with caller_at(gateway.socket, client.admin.key) as socket:
        await until_over(socket, client.run["id"])
        before = await client.history()
        added = await client.ledger.edit("accounts", create={"Code": "999", "Name": "New", "Type": "EXPENSE"})
        unread = await client.ledger.edit("invoices", create={"Type": "ACCREC"})

        asked = (await client.admin.ask(REFRESH, id=client.connection_id))["refreshLists"]
        seen = await until_over(socket, asked["run"]["id"])

    after = await client.history()
    accounts = {each["externalId"] for each in await client.ledger.listed("accounts")}
    documents = {each["externalId"] for each in await client.ledger.listed("ledgerDocuments")}
    assert asked["errors"] == []
    assert (asked["run"]["state"], asked["run"]["trigger"]) == ("QUEUED", "REFRESH_LISTS")
    assert [each["feed"] for each in asked["run"]["feeds"]] == LISTS
    assert (seen[-1]["state"], [each["feed"] for each in seen[-1]["feeds"]]) == ("SUCCEEDED", LISTS)
    assert before["lastSyncedAt"] == after["lastSyncedAt"]
    assert [each["id"] for each in after["syncRuns"]["nodes"]] == [asked["run"]["id"], client.run["id"]]
    assert added["AccountID"] in accounts
    assert unread["InvoiceID"] not in documents
