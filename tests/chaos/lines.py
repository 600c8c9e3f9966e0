"""Sockets that are held while something happens: each follows the events, and knows when and how it was closed."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from tests.chaos.portfolio import each
from tests.chaos.stand import Stand
from tests.support.counted import figure
from tests.support.firm import Caller
from tests.support.polling import until
from tests.support.sockets import Socket, caller_at, socket_to

_CURSOR = "{ clients(first: 1) { eventCursor } }"
_EVENTS = "subscription($after: String!) { connectionEvents(after: $after) { cursor } }"
_LIVE = "tieline_subscriptions_open"


@dataclass(frozen=True, kw_only=True)
class End:
    """How a socket was closed, and when by `time.monotonic`; no code where it broke off."""

    code: int | None
    at: float


@dataclass(frozen=True, kw_only=True)
class Line:
    socket: Socket
    ends: asyncio.Task[End]

    @property
    def end(self) -> End | None:
        return self.ends.result() if self.ends.done() else None


async def cursor_of(caller: Caller) -> str:
    return str((await caller.ask(_CURSOR))["clients"]["eventCursor"])


@asynccontextmanager
async def followed(
    stand: Stand, tokens: Sequence[str], *, after: str, beside: int = 0
) -> AsyncIterator[list[Line]]:
    """A socket for each token, with a subscription that is live, as are so many others `beside` them."""
    async with AsyncExitStack() as open_ones:

        async def follow(token: str) -> Line:
            socket = await open_ones.enter_async_context(caller_at(stand.gateway.socket, token))
            await socket.subscribe("events", _EVENTS, after=after)
            return _line(socket)

        lines = await each(follow, tokens)

        async def all_live() -> bool:
            return await live(stand) == beside + len(lines)

        await until(all_live, f"{len(lines)} subscriptions are live, and {beside} of others")
        yield lines


@asynccontextmanager
async def held(stand: Stand, tokens: Sequence[str]) -> AsyncIterator[list[Line]]:
    """A socket for each token, on which nothing is under way."""
    async with AsyncExitStack() as open_ones:

        async def hold(token: str) -> Line:
            return _line(await open_ones.enter_async_context(caller_at(stand.gateway.socket, token)))

        yield await each(hold, tokens)


@asynccontextmanager
async def silent(stand: Stand, count: int) -> AsyncIterator[list[Line]]:
    """Sockets of whoever has not said yet who it is."""
    async with AsyncExitStack() as open_ones:
        yield [
            _line(await open_ones.enter_async_context(socket_to(stand.gateway.socket))) for _ in range(count)
        ]


async def live(stand: Stand) -> int:
    """Subscriptions to the events that the gateway has."""
    return int(await figure(stand.gateway.url, _LIVE, name="connectionEvents") or 0)


async def codes_of(lines: Iterable[Line], *, seconds: float) -> Counter[int | str | None]:
    """What they were closed with, of those that were in time; the others count as `open`."""
    ends = [line.ends for line in lines]
    await asyncio.wait(ends, timeout=seconds)
    return Counter(end.result().code if end.done() else "open" for end in ends)


def _line(socket: Socket) -> Line:
    return Line(socket=socket, ends=asyncio.create_task(_end_of(socket)))


async def _end_of(socket: Socket) -> End:
    try:
        while True:
            await socket.receive()
    except ConnectionClosed as end:
        return End(code=None if end.rcvd is None else end.rcvd.code, at=time.monotonic())
