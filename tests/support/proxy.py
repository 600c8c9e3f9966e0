"""A line between a client and a server of HTTP that lags, drips and breaks, by draws that can be repeated.

connection ── refused at once, or carried ── request ── drawn: as it should be, or one fault, after so many bytes
                                                                of its answer, which may only make it late
                                                                where an answer must not be lost

It counts what it did, and keeps and tells no byte of what went through.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from tests.support.sockets import reset

_READ_BYTES = 64 * 1024
_DRIP_BYTES = 64
_BODY_BYTES = 4_000
_REACHES = (1, 200, _BODY_BYTES, sys.maxsize)
"""Before anything, in the head, soon after it, or anywhere, however long the answer is."""
_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)
_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")


class Fault(StrEnum):
    """What becomes of an answer. The last four are its end."""

    REFUSED = "the connection is reset before anything is read"
    LAG = "the rest comes late"
    DRIP = "the rest comes a few bytes at a time"
    RESET = "the connection is reset"
    TRUNCATED = "the connection is closed, as if this were all"
    UNMEASURED = "the same, and nothing told how long it would be"
    SILENCE = "nothing comes any more, and the connection stays"


_LATE = (Fault.LAG, Fault.DRIP)
_ENDS = (Fault.RESET, Fault.TRUNCATED, Fault.UNMEASURED) * 2 + (Fault.SILENCE,)
_OF_ANSWERS = _LATE * 2 + _ENDS
"""Silence is drawn half as often as the others: whoever meets it waits for as long as he ever does."""


@dataclass(frozen=True, kw_only=True)
class Roughness:
    """How the line behaves while it is rough: which part of the calls it meddles with, and how slow it can be.

    `posts` is that part of calls that change something: their answers do not arrive. Requests that match `answered`,
    their bodies included, are at most answered late.
    """

    part: float
    posts: float
    longest_lag: float
    longest_drip: float
    answered: re.Pattern[bytes] | None = None


@dataclass(kw_only=True)
class Proxy:
    """It listens at `url` for the server at `server`. `held` are connections it broke that a client still has.

    `delayed` are requests that had to be answered, and were so late.
    """

    url: str
    server: str
    roughness: Roughness
    draws: random.Random = field(repr=False)
    is_rough: bool = False
    connections: int = 0
    calls: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    held: int = 0
    delayed: int = 0
    _carried: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    def past(self, address: str) -> str:
        """The same address at the server itself."""
        assert address.startswith(self.url), address
        return self.server + address.removeprefix(self.url)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until both ends are closed."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)
        if self.is_rough and self.draws.random() < self.roughness.part / len(Fault):
            self.faults[Fault.REFUSED] += 1
            reset(writer.transport)
            return
        with suppress(ConnectionError, asyncio.CancelledError):
            await self._between(reader, writer)
        writer.transport.abort()

    async def end(self) -> None:
        for task in self._carried:
            task.cancel()
        await asyncio.gather(*self._carried)

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at = urlsplit(self.server)
        answers, there = await asyncio.open_connection(at.hostname, at.port)
        line = _Line(proxy=self, client=writer, server=there)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(line.ask(reader))
                both.create_task(line.answer(answers))
        except* ConnectionError:
            pass  # either end hung up, or we did
        finally:
            there.transport.abort()

    def drawn(self, request: bytes) -> _Meddling | None:
        """What is done to the answer of this request."""
        self.calls += 1
        rough, is_post = self.roughness, request.startswith(b"POST ")
        if not self.is_rough or self.draws.random() >= (rough.posts if is_post else rough.part):
            return None
        must_come = rough.answered is not None and rough.answered.match(request) is not None
        kinds = _LATE if must_come else _ENDS if is_post else _OF_ANSWERS
        return _Meddling(
            fault=self.draws.choice(kinds),
            part=self.draws.random(),
            reach=self.draws.choice(_REACHES),
            must_come=must_come,
        )


@dataclass(kw_only=True)
class _Meddling:
    """A fault, after a part of the first `reach` bytes of an answer: `left` more, once it has begun."""

    fault: Fault
    part: float
    reach: int
    must_come: bool
    left: int | None = None


@dataclass(kw_only=True)
class _Line:
    """One connection. What the client says goes through as it is; no call of it begins before the last is answered."""

    proxy: Proxy
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    meddling: _Meddling | None = None
    is_broken: bool = False
    is_left: bool = False

    async def ask(self, said: asyncio.StreamReader) -> None:
        """Until the client closes the connection."""
        try:
            while data := await said.read(_READ_BYTES):
                if _REQUEST.match(data):
                    data = await _whole(data, said)
                    self.meddling = self.proxy.drawn(data)
                if not self.is_broken:
                    self.server.write(data)
                    await self.server.drain()
        finally:
            self.is_left = True
            self.proxy.held -= self.is_broken
            self.server.transport.abort()

    async def answer(self, said: asyncio.StreamReader) -> None:
        """Until the server closes the connection, or a fault ends it."""
        while not self.is_broken and (data := await said.read(_READ_BYTES)):
            await self._through(data)
        if not self.is_broken:
            self.client.write_eof()

    async def _through(self, data: bytes) -> None:
        meddling, left = self.meddling, len(data)
        if meddling is not None:
            data, left = _begun(data, meddling) if meddling.left is None else (data, meddling.left)
            meddling.left = left - len(data[:left])
        self.client.write(data[:left])
        await self.client.drain()
        if meddling is None or not (rest := data[left:]):
            return
        self.meddling = None
        self.proxy.faults[meddling.fault] += 1
        self.proxy.delayed += meddling.must_come
        await self._meddle(meddling.fault, rest)

    async def _meddle(self, fault: Fault, rest: bytes) -> None:
        rough, draws = self.proxy.roughness, self.proxy.draws
        match fault:
            case Fault.LAG:
                await asyncio.sleep(draws.uniform(0, rough.longest_lag))
                self.client.write(rest)
            case Fault.DRIP:
                await self._drip(rest, draws.uniform(0, rough.longest_drip))
            case Fault.RESET:
                reset(self.client.transport)
                raise ConnectionResetError
            case _:
                self.is_broken = True
                self.proxy.held += not self.is_left
                if fault is not Fault.SILENCE:
                    self.client.write_eof()

    async def _drip(self, rest: bytes, pause: float) -> None:
        for begin in range(0, len(rest), _DRIP_BYTES):
            self.client.write(rest[begin : begin + _DRIP_BYTES])
            await self.client.drain()
            await asyncio.sleep(pause)


async def _whole(data: bytes, said: asyncio.StreamReader) -> bytes:
    """The request that begins so, with its body: what it asks for may stand there."""
    while _lacks(data) and (more := await said.read(_READ_BYTES)):
        data += more
    return data


def _lacks(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return not end or (length is not None and len(body) < int(length[1]))


def _begun(data: bytes, meddling: _Meddling) -> tuple[bytes, int]:
    """The beginning of an answer, and after how many bytes it is meddled with: before its end, where it tells that.

    One that is to lose its length has to be cut before its end, or it would have none.
    """
    length, head = _LENGTH.search(data), data.partition(b"\r\n\r\n")[0]
    if length is None or length.start() >= len(head):
        return data, int(meddling.part * min(meddling.reach, _BODY_BYTES))
    whole = len(head) + len(b"\r\n\r\n") + int(length[1])
    if meddling.fault is Fault.UNMEASURED:
        told = _LENGTH.sub(b"connection: close\r\n", data, count=1)
        data, whole = told, whole + len(told) - len(data)
    return data, int(meddling.part * min(meddling.reach, whole))


@asynccontextmanager
async def proxied(server: str, roughness: Roughness, draws: random.Random) -> AsyncIterator[Proxy]:
    """A line to this server, smooth at first, until the block ends."""
    made = Proxy(url="", server=server, roughness=roughness, draws=draws)
    listening = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listening.close()
        await made.end()
        await listening.wait_closed()
