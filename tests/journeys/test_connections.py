"""Connections that say little: bounded below HTTP, whoever makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.support.deployment import Gateway

REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_connections_whose_head_does_not_come_are_closed(gateway: Gateway) -> None:
    half = b"GET /livez HTTP/1.1\r\nX-Half: "

    answered = await asyncio.gather(*(say(gateway, said) for said in (b"", half, REQUEST + half)))

    assert [answer.count(b"HTTP/1.1 200") for answer in answered] == [0, 0, 1]


async def say(gateway: Gateway, said: bytes) -> bytes:
    """What comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(said)
    async with asyncio.timeout(25), closing(writer):
        return await reader.read()


async def test_a_head_without_end_is_cut_off(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

    writer.write(b"GET /livez HTTP/1.1\r\nX-Long: " + b"x" * 200_000)

    async with asyncio.timeout(8), closing(writer):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_requests_one_after_the_other_keep_their_connection(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

    async with closing(writer):
        for _ in range(50):
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(3) == b"ok\n"
