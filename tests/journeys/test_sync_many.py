"""Many clients synced from the front end while the practice has paused its own syncs; and these, a day later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.support.deployment import Gateway
from tests.support.firm import Firm, unknown_id
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.syncing import Connected, connected, until_over
from tieline.principal import Permission

CLIENTS = """mutation($ids: [ID!]!, $product: Product) { syncClients(input: {clientIds: $ids, product: $product}) {
  outcomes { clientId code runs { id state trigger } error { code message field } note }
  errors { code message field } } }"""
ALL = """mutation($input: SyncAllInput!) { syncAll(input: $input) {
  queued alreadyRunning expired remaining errors { code message field } } }"""
PAUSE = "mutation { pauseSyncs { practice { syncsPausedAt } cancelled errors { code } } }"
RESUME = "mutation { resumeSyncs { practice { syncsPausedAt } errors { code } } }"
PAUSED = "{ viewer { practice { syncsPausedAt } } }"
A_DAY = timedelta(hours=24) * 1.2
NOTHING = {"queued": 0, "alreadyRunning": 0, "expired": 0, "remaining": 0, "errors": []}


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


async def test_books_are_read_when_somebody_asks_while_the_rest_is_paused_and_by_themselves_a_day_later(
    client: Connected,
    gateway: Gateway,
    start: Callable[..., Any],
    clock: Callable[[timedelta], Awaitable[None]],
) -> None:
    admin = client.admin
    unconnected = await admin.create_client("Unconnected")
    first = (await admin.ask(ALL, input={}))["syncAll"]
    paused = (await admin.ask(PAUSE))["pauseSyncs"]
    start("worker")
    start("scheduler")
    async with caller_at(gateway.socket, admin.key) as socket:
        await until_over(socket, client.run["id"])

        asked = (await admin.ask(CLIENTS, ids=[client.client_id, unconnected, "nonsense"]))["syncClients"]
        good, *refused = asked["outcomes"]
        seen = await until_over(socket, good["runs"][0]["id"])

    assert first == NOTHING | {"alreadyRunning": 1}
    assert (paused["errors"], paused["cancelled"]) == ([], 0)
    since = (await admin.ask(PAUSED))["viewer"]["practice"]["syncsPausedAt"]
    assert since == paused["practice"]["syncsPausedAt"]
    assert datetime.fromisoformat(since).tzinfo is not None
    assert asked["errors"] == []
    assert (good["clientId"], good["code"], good["error"], good["note"]) == (
        client.client_id,
        "QUEUED",
        None,
        None,
    )
    assert [(run["state"], run["trigger"]) for run in good["runs"]] == [("QUEUED", "MANUAL")]
    assert seen[-1]["state"] == "SUCCEEDED"
    assert [(each["clientId"], each["code"], each["runs"]) for each in refused] == [
        (unconnected, "NOT_CONNECTED", []),
        ("nonsense", "NOT_FOUND", []),
    ]
    assert refused[0]["error"] == {
        "code": "NOT_CONNECTED",
        "message": "Unconnected is not connected to any books here: connect it first.",
        "field": "input.clientIds.1",
    }

    resumed = (await admin.ask(RESUME))["resumeSyncs"]
    await asyncio.gather(clock(A_DAY), client.trip.sandbox.move_clock(A_DAY.total_seconds()))
    await until(partial(synced_by_itself, client), "the books are synced by themselves")

    assert resumed == {"practice": {"syncsPausedAt": None}, "errors": []}
    triggers = [run["trigger"] for run in (await client.history())["syncRuns"]["nodes"]]
    assert triggers == ["SCHEDULE", "MANUAL", "CONNECT"]


async def synced_by_itself(client: Connected) -> bool:
    last = (await client.history())["syncRuns"]["nodes"][0]
    return (last["trigger"], last["state"]) == ("SCHEDULE", "SUCCEEDED")


async def test_what_cannot_be_done_is_said_and_begins_nothing(firm: Firm) -> None:
    member = await firm.member(Permission.SYNC)
    blind = await firm.member(Permission.MANAGE_CONNECTIONS)
    everything = (await member.ask(ALL, input={"notSyncedSince": "2026-05-04T00:00:00Z"}))["syncAll"]
    payloads = [
        (await member.ask(CLIENTS, ids=[unknown_id()] * 1_001))["syncClients"],
        (await member.ask(ALL, input={"provider": "nobody"}))["syncAll"],
        (await member.ask(ALL, input={"notSyncedSince": "2026-05-04T00:00:00"}))["syncAll"],
        (await blind.ask(ALL, input={}))["syncAll"],
        (await member.ask(PAUSE))["pauseSyncs"],
        (await member.ask(RESUME))["resumeSyncs"],
    ]

    assert everything == NOTHING
    told = [(error["code"], error.get("field")) for payload in payloads for error in payload["errors"]]
    assert told == [
        ("INVALID", "input.clientIds"),
        ("NOT_FOUND", "input.provider"),
        ("INVALID", "input.notSyncedSince"),
        ("FORBIDDEN", None),
        ("FORBIDDEN", None),
        ("FORBIDDEN", None),
    ]
    assert payloads[0]["outcomes"] == []
