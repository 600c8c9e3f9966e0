"""The syncProgress subscription under trouble: floods of hints, none at all, strangers, a caller who loses sight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import Firm, unknown_id
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.support.ports import free_port
from tests.support.sandbox import Sandbox
from tests.support.sockets import Socket, caller_at
from tests.support.syncing import PROGRESS, Connected, connected
from tieline.live import Hint, tell
from tieline.principal import ClientAccess

Change = Callable[..., Awaitable[None]]


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    """Its run is queued and nobody works it."""
    async with connected(firm, sandbox) as made:
        yield made


@pytest.fixture
async def above(opened: Deployment) -> AsyncIterator[asyncpg.Connection]:
    connection = await opened.connect()
    yield connection
    await connection.close()


@pytest.fixture
def change(client: Connected, above: asyncpg.Connection) -> Change:
    """Writes to the run as a worker would; says so unless it is told not to."""

    async def write(what: str, *, hint: bool = True) -> None:
        await above.execute(f"UPDATE sync_run SET {what} WHERE id = $1", UUID(client.run["id"]))
        if hint:
            await tell(client.trip.firm.practice_id, [Hint("sync_run", UUID(client.run["id"]))])

    return write


async def next_of(socket: Socket) -> dict[str, Any]:
    async with asyncio.timeout(30):
        message = await socket.receive()
    assert message["type"] == "next", message
    run: dict[str, Any] = message["payload"]["data"]["syncProgress"]
    return run


async def test_a_flood_of_changes_is_told_of_twice_a_second_at_most_and_the_end_is_the_last_word(
    client: Connected, gateway: Gateway, change: Change
) -> None:
    begun = time.monotonic()
    async with caller_at(gateway.socket, client.admin.key) as socket:
        await socket.subscribe("s", PROGRESS, id=client.run["id"])
        told = [await next_of(socket)]
        for number in range(60):
            await change(f"state = 'RUNNING', message = 'at {number}'")
        await change("state = 'SUCCEEDED', message = NULL, finished_at = changed_at")
        while told[-1]["state"] != "SUCCEEDED":
            told.append(await next_of(socket))
        end = await socket.receive()

    assert told[0] == client.run
    assert end["type"] == "complete"
    assert (len(told) - 1) * 0.5 <= time.monotonic() - begun


async def test_a_pause_does_not_end_it_and_without_a_change_nothing_is_sent(
    client: Connected, gateway: Gateway, change: Change
) -> None:
    async with caller_at(gateway.socket, client.admin.key) as socket:
        await socket.subscribe("s", PROGRESS, id=client.run["id"])
        await next_of(socket)
        await change("state = 'PAUSED', limit_name = 'day', resume_at = '2031-05-04T03:02:01Z'")
        paused = await next_of(socket)
        for _ in range(5):
            await change("state = state")
        await change(
            "state = 'FAILED', limit_name = NULL, resume_at = NULL, reason = 'STALLED', message = 'Still.'"
        )
        failed, end = await next_of(socket), await socket.receive()

    assert (paused["state"], paused["limit"], paused["resumeAt"]) == (
        "PAUSED",
        {"name": "day"},
        "2031-05-04T03:02:01+00:00",
    )
    assert (failed["state"], failed["limit"], failed["reason"], failed["message"]) == (
        "FAILED",
        None,
        "STALLED",
        "Still.",
    )
    assert end["type"] == "complete"


async def test_a_run_that_is_over_is_sent_once(client: Connected, gateway: Gateway, change: Change) -> None:
    await change("state = 'CANCELLED', reason = 'DISCONNECTED'")

    async with caller_at(gateway.socket, client.admin.key) as socket:
        await socket.subscribe("s", PROGRESS, id=client.run["id"])
        seen, end = await next_of(socket), await socket.receive()

    assert (seen["state"], seen["reason"]) == ("CANCELLED", "DISCONNECTED")
    assert end["type"] == "complete"


async def test_changes_without_a_hint_are_seen_all_the_same(
    client: Connected, opened: Deployment, change: Change
) -> None:
    with serving(opened, TIELINE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as deaf:
        async with caller_at(deaf.socket, client.admin.key) as socket:
            await socket.subscribe("s", PROGRESS, id=client.run["id"])
            await next_of(socket)
            await change("state = 'SUCCEEDED'", hint=False)
            seen = await next_of(socket)

    assert seen["state"] == "SUCCEEDED"


@pytest.mark.parametrize("which", ["unknown", "nonsense", "another practice's"])
async def test_what_the_caller_may_not_see_is_not_found_and_the_socket_stays(
    client: Connected, other_firm: Firm, gateway: Gateway, which: str
) -> None:
    wanted = {"unknown": unknown_id(), "nonsense": "nonsense"}.get(which, client.run["id"])

    async with caller_at(gateway.socket, other_firm.admin.key) as socket:
        await socket.subscribe("s", PROGRESS, id=wanted)
        refusal, end = await socket.receive(), await socket.receive()
        answer = await socket.ask("{ viewer { practice { id } } }")

    assert [error["extensions"] for error in refusal["payload"]["errors"]] == [
        {"code": "NOT_FOUND", "field": "runId"}
    ]
    assert end["type"] == "complete"
    assert answer["data"]["viewer"]["practice"]["id"] == str(other_firm.practice_id)


async def test_who_loses_sight_of_the_client_is_told_no_more(
    client: Connected, gateway: Gateway, above: asyncpg.Connection, change: Change
) -> None:
    member = await client.trip.firm.member(clients=ClientAccess.LISTED)
    whom = (client.trip.firm.practice_id, member.person_id, UUID(client.client_id))
    await above.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)", *whom
    )

    async with caller_at(gateway.socket, member.key) as socket:
        await socket.subscribe("s", PROGRESS, id=client.run["id"])
        first = await next_of(socket)
        await above.execute(
            "DELETE FROM member_client WHERE practice_id = $1 AND person_id = $2 AND client_id = $3", *whom
        )
        refusal = asyncio.create_task(socket.receive())

        async def told() -> bool:
            await change("state = 'RUNNING'")
            return refusal.done()

        await until(told, "the subscription ends")
        end = await socket.receive()

    assert first["state"] == "QUEUED"
    assert [error["extensions"]["code"] for error in (await refusal)["payload"]["errors"]] == ["NOT_FOUND"]
    assert end["type"] == "complete"
