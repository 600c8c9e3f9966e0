"""The feed of events over real sockets: replayed from a page on and then live, in order, with nothing missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.portfolio import Portfolio, populated
from tests.support.deployment import Deployment, Gateway, serving
from tests.support.events import (
    Listener,
    Told,
    backlog,
    cursor_of,
    listening,
    rename,
    settled,
    shape,
    written,
)
from tests.support.firm import Firm
from tests.support.ports import free_port
from tests.support.sandbox import Sandbox
from tieline.connections.states import Reason
from tieline.credentials.rejection import credential_rejected
from tieline.events.repository import EventCursor
from tieline.ids import CredentialId
from tieline.live.watchers import SLOW_SECONDS

BOARD = "{ connectionBoard(product: BOOKKEEPING, first: 50) { eventCursor nodes { statuses } } }"
DELETE = "mutation($input: DeleteClientInput!) { deleteClient(input: $input) { errors { code } } }"


@pytest.fixture
async def portfolio(firm: Firm, sandbox: Sandbox, clock: Any, opened: Deployment) -> AsyncIterator[Portfolio]:
    async with populated(firm, sandbox, clock, opened) as made:
        yield made


@pytest.fixture
async def deaf(opened: Deployment) -> AsyncIterator[Gateway]:
    """A gateway that no hint reaches."""
    with serving(opened, TIELINE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as alone:
        yield alone


async def expire_all(portfolio: Portfolio) -> None:
    """The provider refuses the credential that all connections are on."""
    row = await portfolio.above.fetchrow(
        "SELECT id, version FROM credential WHERE practice_id = $1", portfolio.trip.firm.practice_id
    )
    await credential_rejected(
        portfolio.trip.firm.practice_id,
        CredentialId(row["id"]),
        Reason.REVOKED_AT_PROVIDER,
        row["version"],
    )


async def change_all(portfolio: Portfolio) -> None:
    """Twenty-five connections come into being, some mismatch, some are disconnected, and the rest expire."""
    await portfolio.connect()
    clients = [one.client_id for one in portfolio.served.values()]
    made = [connection["id"] for connection in (await portfolio.connections()).values()]
    await asyncio.gather(
        *(rename(portfolio.admin, client_id, f"Renamed {client_id}") for client_id in clients[:10]),
        *(portfolio.disconnect(connection_id) for connection_id in made[-5:]),
    )
    await expire_all(portfolio)


async def test_a_page_and_the_events_after_its_cursor_miss_nothing_while_25_connections_change(
    portfolio: Portfolio, gateway: Gateway, opened: Deployment
) -> None:
    firm = portfolio.trip.firm
    before = len(await written(opened, firm))
    await settled()  # else the page's cursor may stand before some of what was written
    page = (await portfolio.admin.ask(BOARD))["connectionBoard"]

    async with listening(gateway, portfolio.admin, page["eventCursor"]) as listener:
        changing = asyncio.create_task(change_all(portfolio))
        told = await listener.take(25)
        await changing
        table = (await written(opened, firm))[before:]
        told += await listener.take(len(table) - 25)

    assert [row["statuses"] for row in page["nodes"]] == [["UNINTEGRATED"]] * 25
    assert shape(told) == table
    kinds = [event["kind"] for event in told]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "CONNECTION_CONNECTED": 25,
        "CLIENT_RENAMED": 10,
        "CONNECTION_MISMATCH_CHANGED": 10,
        "CONNECTION_DISCONNECTED": 5,
        "CONNECTION_EXPIRED": 20,
    }
    assert len({event["cursor"] for event in told}) == 70
    assert final(told) == {
        row["connection"]["id"]: row["statuses"] for row in (await portfolio.board())["nodes"]
    }


def final(told: list[Told]) -> dict[str, list[str]]:
    """What a front end shows that only ever applied events."""
    return {
        event["connection"]["id"]: event["connection"]["statuses"] for event in told if event["connection"]
    }


async def test_each_kind_carries_what_it_is_about(portfolio: Portfolio, gateway: Gateway) -> None:
    start = await cursor_of(portfolio.admin)
    one = portfolio.served["Alder"]
    await portfolio.connect([one.row])
    await rename(portfolio.admin, one.client_id, "Somebody Else")
    await expire_all(portfolio)

    async with listening(gateway, portfolio.admin, start) as listener:
        connected, renamed, mismatch, expired = await listener.take(4)

    connection_id = connected["connectionId"]
    assert (connected["product"], connected["organisation"]) == ("BOOKKEEPING", {"name": one.books})
    assert renamed["client"] == {"id": one.client_id, "name": "Somebody Else"}
    assert (renamed["connectionId"], renamed["connection"], renamed["organisation"]) == (None, None, None)
    assert (mismatch["kind"], mismatch["mismatch"]) == ("CONNECTION_MISMATCH_CHANGED", True)
    assert (expired["reason"], expired["connectionId"]) == ("REVOKED_AT_PROVIDER", connection_id)
    assert expired["connection"] == {"id": connection_id, "statuses": ["EXPIRED"]}
    assert connected["connection"] == expired["connection"], "what it happened to is shown as it is now"
    assert all(event["syncRunId"] is None and event["resumeAt"] is None for event in (connected, expired))


async def test_a_broken_socket_is_followed_by_the_rest_without_a_gap(
    portfolio: Portfolio, gateway: Gateway, opened: Deployment
) -> None:
    start = await cursor_of(portfolio.admin)
    before = len(await written(opened, portfolio.trip.firm))
    changing = asyncio.create_task(change_all(portfolio))

    told: list[Told] = []
    for count in (1, 7, 20, 13):
        async with listening(gateway, portfolio.admin, told[-1]["cursor"] if told else start) as listener:
            told += await listener.take(count)
            listener.socket.connection.transport.abort()
    await changing
    async with listening(gateway, portfolio.admin, told[-1]["cursor"]) as listener:
        told += await listener.take(70 - len(told))

    assert shape(told) == (await written(opened, portfolio.trip.firm))[before:]


async def test_an_event_that_commits_late_comes_first_and_soon_though_no_hint_tells_of_it(
    firm: Firm, gateway: Gateway, opened: Deployment
) -> None:
    client_id = await firm.admin.create_client("Acorn")
    start = await cursor_of(firm.admin)
    above = await opened.connect()

    async with listening(gateway, firm.admin, start) as listener:
        async with above.transaction():
            await above.execute(
                "INSERT INTO event (practice_id, kind, client_id, payload, at, correlation_id) "
                "VALUES ($1, 'CLIENT_DELETED', $2, '{}', '2031-05-04', 'late')",
                firm.practice_id,
                UUID(client_id),
            )
            await rename(firm.admin, client_id, "Early")
            first = asyncio.create_task(past_the_creation(listener))
            done, _ = await asyncio.wait({first}, timeout=1)
            assert done == set(), "what would let it pass over the open one waits"
        await settled()  # whoever else writes on this server holds the feed up, too
        async with asyncio.timeout(0.8 * SLOW_SECONDS):  # the earliest that it looks for no reason
            told = [await first, await listener.next()]
    await above.close()

    assert [event["kind"] for event in told] == ["CLIENT_DELETED", "CLIENT_RENAMED"]


async def past_the_creation(listener: Listener) -> dict[str, Any]:
    """The next event; the client's creation may come once more, if a cursor was read while others were at work."""
    while (event := await listener.next())["kind"] == "CLIENT_CREATED":
        pass
    return event


async def test_without_redis_events_come_all_the_same(firm: Firm, deaf: Gateway) -> None:
    start = await cursor_of(firm.admin)
    async with listening(deaf, firm.admin, start) as listener:
        for number in range(3):
            client_id = await firm.admin.create_client(f"Client {number}")
            assert (await listener.next())["clientId"] == client_id


async def test_the_events_of_a_client_that_is_gone_name_it_still(firm: Firm, gateway: Gateway) -> None:
    start = await cursor_of(firm.admin)
    client_id = await firm.admin.create_client("Acorn")
    await rename(firm.admin, client_id, "Birch")
    assert (await firm.admin.ask(DELETE, input={"id": client_id}))["deleteClient"]["errors"] == []

    async with listening(gateway, firm.admin, start) as listener:
        told = await listener.take(3)

    assert [event["kind"] for event in told] == ["CLIENT_CREATED", "CLIENT_RENAMED", "CLIENT_DELETED"]
    assert [(event["clientId"], event["client"]) for event in told] == [(client_id, None)] * 3


async def test_a_kind_that_only_a_newer_server_knows_is_told_as_other(
    firm: Firm, gateway: Gateway, opened: Deployment
) -> None:
    client_id, start = await firm.admin.create_client("Acorn"), await cursor_of(firm.admin)
    above = await opened.connect()
    await above.execute(
        "INSERT INTO event (practice_id, kind, client_id, payload, at, correlation_id) "
        """VALUES ($1, 'CLIENT_KNIGHTED', $2, '{"reason": "MERIT", "product": "SWORDS"}', '2031-05-04', 'x')""",
        firm.practice_id,
        UUID(client_id),
    )
    await above.close()

    async with listening(gateway, firm.admin, start) as listener:
        told = await listener.next()

    assert (told["kind"], told["reason"], told["product"]) == ("OTHER", None, None)
    assert told["client"] == {"id": client_id, "name": "Acorn"}


async def test_a_slow_reader_of_a_long_backlog_gets_all_of_it_once_and_then_what_is_new(
    firm: Firm, gateway: Gateway, opened: Deployment
) -> None:
    client_id, start = await firm.admin.create_client("Acorn"), await cursor_of(firm.admin)
    await backlog(opened, firm, client_id, 2_500)
    query = "subscription($after: String!) { connectionEvents(after: $after) { %s } }"
    fat = "cursor clientId " + " ".join(f"c{number}: cursor" for number in range(25))

    async with listening(gateway, firm.admin, start, query % fat) as listener:
        told = await listener.take(100)
        await asyncio.sleep(4)  # longer than a batch is sent from before it is read again
        told += await listener.take(2_400)
        await rename(firm.admin, client_id, "Birch")
        told.append(await listener.next())

    places = [EventCursor.decode(event["cursor"]) for event in told]
    assert len(set(places)) == 2_501
    assert places == sorted(places)
