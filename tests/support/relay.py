"""A line between two ends that can be cut or go mute: what is sent to one port goes on to another until then."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

_AT_ONCE = 65_536
_AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(kw_only=True)
class Relay:
    """`opened` counts the lines that were asked for, also those that nobody answered at the other end.

    While it `turns_away`, lines that begin with a request are answered as by a proxy whose server is away, or cut, in
    turns. Sockets are let through. While it is `hushed`, nothing arrives at either end, and nobody is told; afterwards
    all of it does.
    """

    to: int
    port: int = 0
    opened: int = 0
    turns_away: bool = False
    _turned_away: int = field(default=0, repr=False)
    _ends: set[asyncio.StreamWriter] = field(default_factory=set, repr=False)
    _speaks: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        self._speaks.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """All lines, at both ends and without a word; new ones may be opened at once."""
        for writer in self._ends:
            writer.transport.abort()

    @contextmanager
    def hushed(self) -> Iterator[None]:
        self._speaks.clear()
        try:
            yield
        finally:
            self._speaks.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        begun = await _begun(reader) if self.turns_away else b""
        if begun.startswith(b"POST "):
            self._turn_away(writer)
            return
        self._ends.add(writer)
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            self._ends.discard(writer)
            writer.transport.abort()
            return
        self._ends.add(onward)
        if writer.transport.is_closing():  # it was cut before it led anywhere
            onward.transport.abort()
        onward.write(begun)
        await asyncio.gather(self._pass(reader, onward), self._pass(onward_reader, writer))
        self._ends -= {writer, onward}

    def _turn_away(self, writer: asyncio.StreamWriter) -> None:
        self._turned_away += 1
        if self._turned_away % 2:
            writer.write(_AWAY)
            writer.close()
        else:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Whatever comes, until one side has ended; then the other one ends as well."""
        with suppress(OSError):
            while data := await reader.read(_AT_ONCE):
                await self._speaks.wait()
                writer.write(data)
                await writer.drain()
        await self._speaks.wait()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _begun(reader: asyncio.StreamReader) -> bytes:
    """What comes first."""
    with suppress(OSError):
        return await reader.read(_AT_ONCE)
    return b""


@asynccontextmanager
async def relaying(to: int, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    """It takes lines until the block ends, with `tls` at this end of them."""
    made = Relay(to=to)
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await server.wait_closed()
