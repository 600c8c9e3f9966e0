"""The signIn subscription under trouble: strangers, revoked keys, Redis away, readers that vanish."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import httpx
import pytest
import redis
from websockets.exceptions import ConnectionClosed

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import Firm, unknown_id
from tests.support.polling import until
from tests.support.ports import free_port
from tests.support.sockets import caller_at, socket_to
from tests.support.trips import FOLLOW, Trip
from tieline.live import Hint, tell
from tieline.live.hints import CHANNEL
from tieline.practices.keys import issue_key, revoke_key


@pytest.fixture
async def deaf(opened: Deployment) -> AsyncIterator[Gateway]:
    """A gateway that no hint reaches."""
    with serving(opened, TIELINE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as alone:
        yield alone


@pytest.mark.parametrize("which", ["unknown", "nonsense", "another person's"])
async def test_what_is_not_the_callers_own_is_not_found_and_the_socket_stays(
    trip: Trip, other_firm: Firm, gateway: Gateway, which: str
) -> None:
    theirs = (await trip.start())["signIn"]["id"]
    wanted = {"unknown": unknown_id(), "nonsense": "nonsense", "another person's": theirs}[which]

    async with caller_at(gateway.socket, other_firm.admin.key) as socket:
        await socket.subscribe("s", FOLLOW, id=wanted)
        refusal, end = await socket.receive(), await socket.receive()
        answer = await socket.ask("{ viewer { practice { id } } }")

    assert [error["extensions"]["code"] for error in refusal["payload"]["errors"]] == ["NOT_FOUND"]
    assert end["type"] == "complete"
    assert answer["data"]["viewer"]["practice"]["id"] == str(other_firm.practice_id)


async def test_a_revoked_key_ends_its_subscription(trip: Trip, gateway: Gateway) -> None:
    sign_in_id = (await trip.start())["signIn"]["id"]
    issued = await issue_key(trip.firm.practice_id, name="short-lived", person_id=trip.firm.admin.person_id)

    async with caller_at(gateway.socket, issued.secret.reveal()) as socket:
        await socket.subscribe("s", FOLLOW, id=sign_in_id)
        first = await socket.receive()
        await revoke_key(str(issued.id))
        with pytest.raises(ConnectionClosed) as end:
            await socket.receive()

    assert first["payload"]["data"]["signIn"]["state"] == "STARTED"
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 4403


async def test_without_redis_changes_are_seen_all_the_same(trip: Trip, deaf: Gateway) -> None:
    started = await trip.start()
    async with caller_at(deaf.socket, trip.firm.admin.key) as socket:
        await socket.subscribe("s", FOLLOW, id=started["signIn"]["id"])
        first = await socket.receive()
        await trip.land(await trip.consent(started, allow=False))
        async with asyncio.timeout(45):
            second, end = await socket.receive(), await socket.receive()

    states = [message["payload"]["data"]["signIn"]["state"] for message in (first, second)]
    assert states == ["STARTED", "FAILED"]
    assert end["type"] == "complete"
    assert deaf.process.logged().count("live.away") == 1


async def test_a_hint_without_a_change_sends_nothing(trip: Trip, gateway: Gateway) -> None:
    started = await trip.start()
    async with caller_at(gateway.socket, trip.firm.admin.key) as socket:
        await socket.subscribe("s", FOLLOW, id=started["signIn"]["id"])
        await socket.receive()
        for _ in range(20):
            await tell(trip.firm.practice_id, [Hint("sign_in", UUID(started["signIn"]["id"]))])
        await socket.ask("{ viewer { practice { id } } }")
        await trip.land(await trip.consent(started, allow=False))
        second = await socket.receive()

    assert second["payload"]["data"]["signIn"]["state"] == "FAILED"


async def test_readers_that_vanish_leave_no_connection_and_no_second_subscription(
    trip: Trip, gateway: Gateway, opened: Deployment
) -> None:
    sign_in_id = (await trip.start())["signIn"]["id"]

    async def figures() -> dict[str, float]:
        async with httpx.AsyncClient(timeout=30) as http:
            exposed = (await http.get(f"{gateway.url}/metrics")).text
        found = re.findall(r"^(tieline_\w+(?:\{[^}]*\})?) (\S+)$", exposed, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def listeners() -> int:
        """Of every gateway at this Redis, also those that other tests have started beside."""
        with redis.Redis.from_url(opened.redis_url) as client:
            return int(dict(client.pubsub_numsub(CHANNEL))[CHANNEL.encode()])

    async def none_left() -> bool:
        now = await figures()
        used = (
            now['tieline_database_connections{state="size"}']
            - now['tieline_database_connections{state="idle"}']
        )
        return now["tieline_sockets_open"] == used == 0

    await until(none_left, "sockets and connections of earlier tests are given back")
    listening = listeners()
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(socket_to(gateway.socket)) for _ in range(5)]
        for socket in sockets:
            await socket.acknowledged(trip.firm.admin.key)
            for number in range(40):
                await socket.subscribe(str(number), FOLLOW, id=sign_in_id)
            for _ in range(40):
                assert (await socket.receive())["type"] == "next"
        more = listeners() - listening
        for socket in sockets:
            socket.connection.transport.abort()

    await until(none_left, "sockets and connections are given back")
    assert more < len(sockets), "one for each gateway of this Redis, not one for each socket"
