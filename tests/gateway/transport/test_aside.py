"""What takes long to read is read aside: callers take turns there, each is bounded, and none outlives its authority."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.gateway.transport.conftest import MODERN, Call
from tieline_gateway.transport.aside import THREAD, Aside
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.incoming import LONG
from tieline_gateway.transport.operations import BASE_COST, BYTES_READ, CHARS_READ, FEW_VALUES, SHORT_CHARS

if TYPE_CHECKING:
    from tests.gateway.transport.conftest import Serve, Server

LONG_TEXT = "mutation{write}".ljust(SHORT_CHARS + 1)
LONG_BODY = b'{"query":"{hello}"}'.ljust(LONG + 1)
LONG_FRAME = '{"type":"ping"}'.ljust(LONG + 1)


@contextmanager
def held() -> Iterator[None]:
    """The thread is busy inside of the block."""
    ends = threading.Event()
    busy = THREAD.submit(ends.wait)
    try:
        yield
    finally:
        ends.set()
        busy.result()


async def begun(*tasks: asyncio.Task[None]) -> None:
    """Each of the tasks waits for what it does first."""
    for _ in tasks:
        await asyncio.sleep(0)


async def test_who_has_much_to_be_read_waits_for_itself_and_others_take_turns_with_it() -> None:
    aside, done = Aside(), list[str]()

    with held():
        tasks = [
            asyncio.create_task(aside(name[0], done.append, name))
            for name in ("a1", "a2", "a3", "a4", "b1", "c1")
        ]
        await begun(*tasks)
    await asyncio.gather(*tasks)

    assert done == ["a1", "b1", "c1", "a2", "a3", "a4"]


async def test_who_has_too_much_there_is_told_when_to_ask_again_and_others_are_read() -> None:
    aside, done = Aside(most=3, most_of_one=2), list[str]()

    with held():
        tasks = [asyncio.create_task(aside(name[0], done.append, name)) for name in ("a1", "a2", "b1", "c1")]
        await begun(*tasks)
        for name, why in (("a3", "as many as are one caller's"), ("b2", "as many as there are in all")):
            with pytest.raises(RequestRefused) as refused:
                await aside(name[0], done.append, name)
            told = refused.value.errors[0]["extensions"]
            assert (told["code"], told["retryAfter"]) == ("RATE_LIMITED", 1), why
    await asyncio.gather(*tasks)
    await aside("a", done.append, "a4")

    assert done == ["a1", "b1", "c1", "a2", "a4"]


async def test_what_is_cancelled_while_it_waits_is_not_read_and_leaves_its_place() -> None:
    aside, done = Aside(most_of_one=2), list[str]()

    with held():
        tasks = [asyncio.create_task(aside("a", done.append, name)) for name in ("in the thread", "waits")]
        await begun(*tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        again = asyncio.create_task(aside("a", done.append, "again"))
        await begun(again)
    await again

    assert done == ["again"]


async def test_what_is_cancelled_while_it_is_read_keeps_its_turn_until_the_thread_is_done() -> None:
    aside, done = Aside(), list[str]()
    began, ends = threading.Event(), threading.Event()

    def reads() -> None:
        began.set()
        ends.wait()

    reading = asyncio.create_task(aside("a", reads))
    await asyncio.to_thread(began.wait)

    reading.cancel()
    after = asyncio.create_task(aside("b", done.append, "after"))
    await begun(reading, after)
    in_between = (reading.done(), done[:])
    ends.set()
    await asyncio.gather(reading, after, return_exceptions=True)

    assert in_between == (False, [])
    assert reading.cancelled()
    assert done == ["after"]


async def test_long_bodies_texts_and_frames_wait_no_longer_than_an_operation_may_take(serve: Serve) -> None:
    server = serve(operation_seconds=0.2)

    async with server.opened() as socket:
        with held():
            body = await server.send(LONG_BODY)
            text = await server.post(LONG_TEXT)
            await socket.connection.send(LONG_FRAME)
            code, _ = await socket.closed()

    for answer in (body, text):
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert code == 1013
    assert server.seen.started == 0


async def test_what_is_short_does_not_wait_for_what_is_long(serve: Serve) -> None:
    server = serve()

    async with server.opened() as socket:
        with held():
            answer = await server.post("{hello}")
            await socket.send({"type": "ping"})
            pong = await socket.receive()

    assert answer.json() == {"data": {"hello": "hello world"}}
    assert pong == {"type": "pong"}


async def test_a_stranger_sends_nothing_long_before_the_acknowledgement(serve: Serve) -> None:
    server = serve()

    async with server.connected() as socket:
        await socket.connection.send('{"type":"connection_init"}'.ljust(LONG + 1))
        code, reason = await socket.closed()

    assert (code, reason) == (4400, "A frame may hold 16,384 characters before the acknowledgement.")


READ_ASIDE: dict[str, dict[str, Any]] = {
    "a long text": {"query": LONG_TEXT},
    "many values": {"query": "query($v:JSON!){echo(value:$v)}", "variables": {"v": [0] * (FEW_VALUES + 1)}},
}


@pytest.fixture
def revoking(serve: Serve) -> Server:
    """Takes the caller's token back right before its operation is read."""

    async def spends(context: Call, _cost: int) -> None:
        context.seen.revoked.add(context.token or "")

    return serve(spends=spends)


@pytest.mark.parametrize("operation", READ_ASIDE.values(), ids=READ_ASIDE.keys())
async def test_who_is_nobody_once_its_operation_was_read_does_not_run_it(
    revoking: Server, operation: dict[str, Any]
) -> None:
    answer = await revoking.post(token="somebody", **operation)

    assert answer.status_code == 401
    assert revoking.seen.started == 0


@pytest.mark.parametrize("operation", READ_ASIDE.values(), ids=READ_ASIDE.keys())
async def test_on_a_socket_neither_and_it_is_closed(revoking: Server, operation: dict[str, Any]) -> None:
    async with revoking.opened({"authorization": "Bearer somebody"}) as socket:
        await socket.subscribe("m", **operation)
        refused = await socket.receive()
        code, _ = await socket.closed()

    assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (code, revoking.seen.started) == (4403, 0)


async def test_a_long_body_is_paid_for_before_it_is_read_and_whoever_cannot_pay_is_not_read(
    serve: Serve,
) -> None:
    spent: list[int] = []

    async def spends(context: Call, cost: int) -> timedelta | None:
        spent.append(cost)
        return timedelta(seconds=1) if context.token == "poor" else None

    server = serve(spends=spends)
    malformed = b"{".ljust(LONG + 1)

    rich = await server.send(malformed, authorization="Bearer rich")
    poor = await server.send(malformed, authorization="Bearer poor")
    sound = await server.send(LONG_BODY, authorization="Bearer rich")

    price = (LONG + 1) // BYTES_READ
    assert [each.status_code for each in (rich, poor, sound)] == [400, 429, 200]
    assert spent == [price, price, price, BASE_COST + len("{hello}") // CHARS_READ, 1]


LOOKED_UP: dict[str, tuple[bytes, int]] = {
    "a long text": (json.dumps({"query": LONG_TEXT}).encode(), 2),
    "a long body": (LONG_BODY, 2),
    "a long body with a long text": (json.dumps({"query": LONG_TEXT}).encode().ljust(LONG + 1), 2),
}


@pytest.mark.parametrize(("body", "times"), LOOKED_UP.values(), ids=LOOKED_UP.keys())
async def test_whoever_waits_is_looked_up_once_more_for_all_that_it_waited_for(
    serve: Serve, body: bytes, times: int
) -> None:
    server = serve()

    answer = await server.send(body)

    assert (answer.status_code, server.seen.calls) == (200, times)


@pytest.mark.parametrize("text", ["mutation{write}", LONG_TEXT], ids=["read at once", "read aside"])
async def test_who_is_nobody_once_its_long_body_was_read_does_not_run_it(revoking: Server, text: str) -> None:
    body = json.dumps({"query": text}).encode().ljust(LONG + 1)

    answer = await revoking.send(body, authorization="Bearer somebody")

    assert (answer.status_code, revoking.seen.started) == (401, 0)


@pytest.mark.parametrize("padding", [0, LONG + 1], ids=["a short body", "a long body"])
@pytest.mark.parametrize("text", ["{nothing}", LONG_TEXT + "{nothing}"], ids=["read at once", "read aside"])
async def test_who_is_nobody_by_then_is_told_that_and_not_what_is_wrong_with_the_operation(
    revoking: Server, text: str, padding: int
) -> None:
    body = json.dumps({"query": text}).encode().ljust(padding)

    answer = await revoking.send(body, authorization="Bearer somebody")
    waited = bool(padding) or text != "{nothing}"

    assert answer.status_code == (401 if waited else 400)


@pytest.mark.parametrize(
    ("token", "told"),
    [("revocable", (401, 1, [])), ("kept", (400, 2, [BASE_COST]))],
    ids=["nobody", "somebody"],
)
async def test_what_is_wrong_with_a_late_body_is_told_and_charged_to_who_it_is_of_by_then(
    serve: Serve, token: str, told: tuple[int, int, list[int]]
) -> None:
    spent: list[int] = []

    async def spends(_context: Call, cost: int) -> None:
        spent.append(cost)

    server = serve(spends=spends)

    async def late() -> AsyncIterator[bytes]:
        yield b'{"query":'
        while server.seen.calls == 0:  # noqa: ASYNC110 - the server runs in another thread
            await asyncio.sleep(0.01)
        server.seen.revoked.add("revocable")
        yield b'"{nothing}"}'

    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.post(server.url, content=late(), headers={"accept": MODERN, **headers})

    assert (answer.status_code, server.seen.calls, spent) == told
