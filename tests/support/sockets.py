"""A client of graphql-transport-ws that says exactly what a test wants it to say, and ends as it wants it to."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PROTOCOL = Subprotocol("graphql-transport-ws")
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
"""What asks for a socket, byte by byte."""
_NOTHING_LINGERS = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Socket:
    connection: ClientConnection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def subscribe(self, operation_id: str, query: str, **variables: Any) -> None:
        await self.send(id=operation_id, type="subscribe", payload={"query": query, "variables": variables})

    async def complete(self, operation_id: str) -> None:
        await self.send(id=operation_id, type="complete")

    async def acknowledged(self, key: str) -> None:
        """Say who is asking, and wait until that is taken."""
        await self.send(type="connection_init", payload={"authorization": f"Bearer {key}"})
        answer = await self.receive()
        assert answer["type"] == "connection_ack", answer

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to one query; what else still arrives is passed over."""
        await self.subscribe("ask", query, **variables)
        answer: dict[str, Any] | None = None
        while True:
            message = await self.receive()
            if message.get("id") != "ask":
                continue
            if message["type"] == "complete":
                assert answer is not None
                return answer
            assert message["type"] == "next", message
            answer = message["payload"]


@asynccontextmanager
async def socket_to(
    url: str, *, origin: str | None = None, forwarded_for: str | None = None
) -> AsyncIterator[Socket]:
    """A socket that is open and has said nothing yet. Raises InvalidStatus when it is refused."""
    sent = Origin(origin) if origin is not None else None
    headers = {"x-forwarded-for": forwarded_for} if forwarded_for is not None else {}
    async with connect(
        url, subprotocols=[PROTOCOL], origin=sent, additional_headers=headers, open_timeout=30
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def caller_at(url: str, key: str) -> AsyncIterator[Socket]:
    """A socket of this caller, acknowledged."""
    async with socket_to(url) as opened:
        await opened.acknowledged(key)
        yield opened


def reset(transport: asyncio.BaseTransport) -> None:
    """Cut the line as a machine does that goes down (RST): what is under way is lost, and no close is said."""
    found = transport.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOTHING_LINGERS)
    assert isinstance(transport, asyncio.Transport)
    transport.abort()
