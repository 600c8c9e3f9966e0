"""A connection ends, and nobody had to trip over it: told ahead, found by a sweep, and shown live to who watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.deployment import Gateway
from tests.support.events import Listener, Told, cursor_of, listening
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sandbox import Sandbox
from tests.support.syncing import Connected, connected
from tieline.practices.service import set_consent_life

Move = Callable[[timedelta], Awaitable[None]]
A_DAY = timedelta(hours=24) * 1.2
CONSENT_DAYS = 31
_LOOK = "query($id: ID!) { connection(id: $id) { statuses reason remedy warnings { reason days } } }"


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


@pytest.fixture
async def listener(client: Connected, gateway: Gateway, start: Callable[..., Any]) -> AsyncIterator[Listener]:
    """Listens from before anything is done: else what the first sync tells may stand before its cursor."""
    async with listening(gateway, client.admin, await cursor_of(client.admin)) as made:
        start("worker")
        start("scheduler")
        yield made


@pytest.fixture
def move(clock: Move, sandbox: Sandbox) -> Move:
    """Moves the deployment's calendar and the provider's."""

    async def on(by: timedelta) -> None:
        await asyncio.gather(clock(by), sandbox.move_clock(by.total_seconds()))

    return on


async def heard(listener: Listener, kind: str) -> Told:
    """The next event of this kind; those of others are passed over."""
    while (told := await listener.next())["kind"] != kind:
        pass
    return told


async def look(client: Connected) -> dict[str, Any]:
    return dict((await client.admin.ask(_LOOK, id=client.connection_id))["connection"])


async def test_a_consents_end_is_warned_of_and_then_found_before_anybody_trips_over_it(
    client: Connected, listener: Listener, move: Move
) -> None:
    await set_consent_life(client.trip.firm.practice_id, CONSENT_DAYS)
    await heard(listener, "SYNC_SUCCEEDED")

    await move(A_DAY)
    warned = await heard(listener, "CONNECTION_WARNING")
    before = await look(client)
    await move(CONSENT_DAYS * A_DAY)
    expired = await heard(listener, "CONNECTION_EXPIRED")
    after = await look(client)

    assert (warned["reason"], warned["connection"]["statuses"]) == ("CONSENT_EXPIRED", ["CONNECTED"])
    assert before == {
        "statuses": ["CONNECTED"],
        "reason": None,
        "remedy": None,
        "warnings": [{"reason": "CONSENT_EXPIRED", "days": 30}],
    }
    assert (expired["reason"], expired["connection"]["statuses"]) == ("CONSENT_EXPIRED", ["EXPIRED"])
    assert after == {
        "statuses": ["EXPIRED"],
        "reason": "CONSENT_EXPIRED",
        "remedy": "RECONNECT",
        "warnings": [],
    }


async def test_what_is_taken_back_on_the_providers_own_site_is_noticed_and_told_live(
    client: Connected, listener: Listener, move: Move
) -> None:
    trip = client.trip
    await heard(listener, "SYNC_SUCCEEDED")
    await client.until_detailed()

    await trip.sandbox.revoke(trip.app, trip.person, client.ledger.organisation)
    not_known_yet = await look(client)
    await move(A_DAY)
    expired = await heard(listener, "CONNECTION_EXPIRED")
    after = await look(client)

    assert not_known_yet["statuses"] == ["CONNECTED"]
    assert expired["connectionId"] == client.connection_id
    assert expired["connection"]["statuses"] == ["EXPIRED"]
    assert (after["statuses"], after["remedy"]) == (["EXPIRED"], "RECONNECT")
    assert expired["reason"] == after["reason"] == "REVOKED_AT_PROVIDER"
