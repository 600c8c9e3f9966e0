"""A small HTTP server that answers what a test wrote down, and says nothing or hangs up where the test wants that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Reply:
    """`silent` never answers; `dropped` closes the line after the request was read; `dripping` never ends.

    `unmeasured` says no length: what comes until the line is closed is the body.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    silent: bool = False
    dropped: bool = False
    dripping: bool = False
    unmeasured: bool = False


@dataclass(frozen=True, kw_only=True)
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def said(value: object, *, status: int = 200, **headers: str) -> Reply:
    """A reply in JSON; underscores in names of headers become dashes."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(
        status=status, headers={"content-type": "application/json", **named}, body=json.dumps(value).encode()
    )


class Pretender:
    """Gives its replies in order, the last of them again and again."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.received: list[Received] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.url = ""

    def will(self, *replies: Reply) -> None:
        self.replies = list(replies)

    @property
    def asked(self) -> list[str]:
        return [f"{one.method} {one.target}" for one in self.received]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            self.received.append(await _read(reader))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if reply.silent:
                await reader.read()  # until the caller has given up
            elif not reply.dropped:
                writer.write(_spoken(reply))
                await writer.drain()
            while reply.dripping:
                writer.write(b"1\r\n \r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller was the first to hang up
        finally:
            writer.close()


@asynccontextmanager
async def pretending() -> AsyncIterator[Pretender]:
    pretender = Pretender()
    server = await asyncio.start_server(pretender.answer, "127.0.0.1", 0)
    pretender.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield pretender
    finally:
        server.close()
        await server.wait_closed()
        for writer in pretender.writers:
            writer.transport.abort()  # what nobody reads would be held until the loop is gone
        await asyncio.sleep(0)


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method=method, target=target, headers=headers, body=body)


def _spoken(reply: Reply) -> bytes:
    length = {"transfer-encoding": "chunked"} if reply.dripping else {"content-length": str(len(reply.body))}
    length = {} if reply.unmeasured else length
    headers = {**length, "connection": "close", **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if reply.dripping else reply.body)
