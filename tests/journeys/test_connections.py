"""Connections that say little: bounded below HTTP, whoever makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from unittest.mock import patch

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.polling import WAIT_SECONDS
from tieline_gateway import connections

REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def impatient() -> None:
    patch.object(connections, "HEAD_SECONDS", 8.0).start()


async def test_connections_whose_head_does_not_come_are_closed(deployment: Deployment) -> None:
    half = b"GET /livez HTTP/1.1\r\nX-Half: "
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    no_key = head + b"Content-Length: 1000\r\n\r\n"
    chunked = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    sayings = ([b""], [half], [REQUEST + half], [REQUEST, b"\r\n"], [no_key, b"1"], [chunked, b"1\r\n"])

    with serving(deployment, impatient) as gateway:
        answered = await asyncio.gather(*(say(gateway, *said) for said in sayings))

    assert [answer[9:12] for answer in answered] == [b"", b"", b"200", b"200", b"401", b"404"]


async def say(gateway: Gateway, *said: bytes) -> bytes:
    """What comes back until the other side closes; each thing is said once the one before was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    answered = b""
    async with asyncio.timeout(WAIT_SECONDS), closing(writer):
        for number, part in enumerate(said, start=1):
            writer.write(part)
            if number < len(said):
                answered += await reader.read(65_536)
        return answered + await reader.read()


async def test_a_head_without_end_is_cut_off(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

    writer.write(b"GET /livez HTTP/1.1\r\nX-Long: " + b"x" * 200_000)

    async with asyncio.timeout(8), closing(writer):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_trailers_without_end_are_cut_off(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")

    writer.write(b"X-Trailer: y\r\n" * 20_000)

    async with asyncio.timeout(8), closing(writer):
        with suppress(ConnectionResetError):
            await reader.read()


async def test_requests_one_after_the_other_keep_their_connection(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

    async with closing(writer):
        for _ in range(50):
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(3) == b"ok\n"
