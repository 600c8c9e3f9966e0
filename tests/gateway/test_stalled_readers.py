"""Readers that take nothing: the line is cut, and whoever sends to them is let go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from structlog.testing import capture_logs

from tests.support.deployment import Deployment
from tests.support.polling import until
from tieline.settings import load
from tieline_gateway import connections
from tieline_gateway.connections import BoundedSocket
from tieline_gateway.serve import _config
from tieline_gateway.settings import GatewaySettings

MESSAGE = "x" * 64 * 1024
MESSAGES = 400
FRAME = 10 + len(MESSAGE)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Sender:
    """An application that sends 26 MB to whoever comes; `over` says how it went."""

    def __init__(self) -> None:
        self.sent = 0
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.close: Callable[[], Awaitable[None]]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        self.close = partial(send, {"type": "websocket.close", "code": 4403})
        try:
            for _ in range(MESSAGES):
                await send({"type": "websocket.send", "text": MESSAGE})
                self.sent += 1
            await receive()
            self.over.set_result("sent")
        except Exception as error:
            self.over.set_result(type(error).__name__)
            raise


@asynccontextmanager
async def sending(**more: Any) -> AsyncIterator[tuple[Sender, asyncio.StreamReader]]:
    """A sender, and a reader of bare bytes that takes nothing beyond the first until it is told to."""
    sender, listening = Sender(), socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(sender, lifespan="off", log_config=None, **{"ws": BoundedSocket, **more})
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname(), limit=1_024)
    try:
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        yield sender, reader
    finally:
        writer.transport.abort()
        server.should_exit = True
        await serving
        listening.close()


async def test_a_reader_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.3)

    with capture_logs() as logged:
        async with sending() as (sender, _), asyncio.timeout(20):
            how = await sender.over

    assert how == "ClientDisconnected"
    assert [event["event"] for event in logged] == ["socket.stalled"]


async def test_a_reader_that_goes_on_in_time_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 30.0)

    async with sending() as (sender, reader), asyncio.timeout(60):
        await asyncio.sleep(0.5)
        assert sender.sent < MESSAGES
        for _ in range(MESSAGES):
            await reader.readexactly(FRAME)

    assert await sender.over == "sent"


async def test_a_reader_that_answers_no_ping_is_cut_off_though_its_buffer_is_full() -> None:
    async with sending(ws_ping_interval=0.2, ws_ping_timeout=0.2) as (sender, _):

        async def over() -> bool:
            return sender.over.done()

        await until(over, "the sender is let go", seconds=20)

    assert sender.over.result() == "ClientDisconnected"


async def test_a_socket_that_is_closed_does_not_wait_for_a_reader_that_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "CLOSING_SECONDS", 0.2)
    stuck, lost = asyncio.Event(), asyncio.Event()

    class Watched(BoundedSocket):
        def pause_writing(self) -> None:
            super().pause_writing()
            stuck.set()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async with sending(ws=Watched) as (sender, _), asyncio.timeout(20):
        await stuck.wait()
        closing = asyncio.ensure_future(sender.close())
        how = await sender.over
        await lost.wait()
        await asyncio.wait({closing})
        closing.exception()

    assert how == "ClientDisconnected"


def test_the_gateway_serves_its_sockets_so(deployment: Deployment) -> None:
    assert _config(deployment.settings, load(GatewaySettings)).ws is BoundedSocket
