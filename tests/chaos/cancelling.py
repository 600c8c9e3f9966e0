"""Floods of operations that are cancelled under way.

flood ── complete   asked on a socket, and completed before the answer came
      ── leave      asked by somebody who goes away, with the request or the socket
      ── strike     asked while somebody holds the row that they want, and taken back when they wait for it
      ── hurry      asked of a gateway `in_a_hurry`, and not answered in its time
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest.mock import patch

import httpx

from tests.chaos.gauges import REST_SECONDS, gauges
from tests.chaos.resets import EVENTS, PROGRESS
from tests.chaos.stand import Stand
from tests.support.events import RENAME
from tests.support.firm import CREATE
from tests.support.sockets import Socket, caller_at
from tieline_gateway.transport import GraphQLTransport

PAGE = "{ clients(first: 20) { totalCount nodes { name team { name } } } viewer { practice { name } } }"
_OPERATION_SECONDS = 0.02
_MOST_SECONDS = 0.03
_SOCKETS = 4
_HEAP = 20
_AT_ONCE = 10
_TRIES = 30
_HOLD = "SELECT id FROM client WHERE id = $1::uuid FOR UPDATE"
_WAITING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%client%'
"""


def in_a_hurry() -> None:
    """A gateway that begins here gives an operation hardly the time that it takes alone."""
    hurried = partial(GraphQLTransport, operation_seconds=_OPERATION_SECONDS)
    patch("tieline_gateway.app.GraphQLTransport", hurried).start()


@dataclass(kw_only=True)
class Flood:
    """`completed`, `left`, `struck` and `late` were cancelled so far, `listening` of the first two subscriptions.

    `begun` are requests that were broken off before all of them was sent: no operation came of them.
    `hung` are those that came to no end in time, `deaf` the sockets that answer nothing after them. `made` are the
    names of clients whose callers waited for the answer. `taken` is how many pooled connections the gateway told of
    when one was known to be.
    """

    stand: Stand
    key: str = field(repr=False)
    draws: random.Random
    after: str
    run_id: str
    completed: int = 0
    left: int = 0
    begun: int = 0
    late: int = 0
    struck: int = 0
    listening: int = 0
    hung: int = 0
    deaf: int = 0
    taken: int = 0
    asked: int = 0
    made: set[str] = field(default_factory=set)

    @property
    def together(self) -> int:
        """Those that callers gave up, and those that the gateway did."""
        return self.completed + self.left + self.late

    async def complete(self, most: int) -> None:
        last = self.asked + _TRIES * most

        async def some() -> None:
            async with caller_at(self.stand.gateway.socket, self.key) as socket:
                while self.completed < most and self._goes_on(last):
                    await self._pairs(socket)
                self.deaf += not await _answers(socket)

        await asyncio.gather(*(some() for _ in range(_SOCKETS)))

    async def leave(self, most: int) -> None:
        last = self.asked + _TRIES * most
        while self.left < most and self._goes_on(last):
            await asyncio.gather(self._wait(), *(self._leave() for _ in range(_AT_ONCE)))

    async def strike(self, most: int, client_id: str) -> None:
        """One at a time, so that the gateway has another connection to tell of itself."""
        holder = await self.stand.deployment.connect()
        try:
            await holder.execute("BEGIN")
            await holder.execute(_HOLD, client_id)
            while self.struck < most:
                await self._strike(client_id, drops=self.struck % 2 == 0)
        finally:
            await holder.close()

    async def hurry(self, most: int) -> None:
        last = self.asked + _TRIES * most
        async with httpx.AsyncClient(base_url=self.stand.gateway.url, timeout=REST_SECONDS) as http:
            while self.late < most and self._goes_on(last):
                together = self.draws.randint(1, 2 * _AT_ONCE)
                await asyncio.gather(*(self._be_late(http) for _ in range(together)))

    async def is_served(self) -> bool:
        """Whether somebody who asks now, and waits, is answered."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                response = await self.stand.http.post("/graphql", json={"query": PAGE}, headers=self._headers)
        except TimeoutError:
            return False
        return "errors" not in response.json()

    def _goes_on(self, last: int) -> bool:
        """Where nothing is cancelled any more, however much is asked, the count falls short."""
        return not self.hung and self.asked < last

    async def _pairs(self, socket: Socket) -> None:
        """Frames are read one after another, so that all are dealt with when the ping is."""
        for _ in range(_HEAP):
            asked = self._asked(may_listen=True)
            number = str(self.asked)
            await socket.subscribe(number, asked["query"], **asked["variables"])
            if self.draws.random() < 3 / 4:
                await asyncio.sleep(self.draws.uniform(0, _MOST_SECONDS / 3))
            await socket.complete(number)
        await socket.send(type="ping")
        try:
            async with asyncio.timeout(REST_SECONDS):
                self.completed += _HEAP - await _ended(socket)
        except TimeoutError:
            self.hung += 1

    async def _strike(self, client_id: str, *, drops: bool) -> None:
        """Cancel an operation amid its statement, with its socket or by itself."""
        async with caller_at(self.stand.gateway.socket, self.key) as socket:
            await socket.subscribe("held", RENAME, id=client_id, name="Held")
            await self.stand.until_as_many(_WAITING, 1, what="a statement waits")
            self.taken = max(self.taken, (await gauges(self.stand)).taken)
            if drops:
                socket.connection.transport.abort()
            else:
                await socket.complete("held")
            await self.stand.until_none(_WAITING, what="it is cancelled", seconds=REST_SECONDS)
        self.struck += 1

    async def _leave(self) -> None:
        if self.draws.random() < 1 / _AT_ONCE:
            await self._drop()
            self.left += 1
        else:
            await self._abort()

    async def _drop(self) -> None:
        """Break a socket off with operations under way."""
        async with caller_at(self.stand.gateway.socket, self.key) as socket:
            for number in range(_AT_ONCE):
                asked = self._asked(may_listen=True)
                await socket.subscribe(str(number), asked["query"], **asked["variables"])
            await asyncio.sleep(self.draws.uniform(0, _MOST_SECONDS))
            socket.connection.transport.abort()

    async def _abort(self) -> None:
        """Break a request off, in a quarter of cases before all of it is sent, else perhaps before its answer."""
        host, port = "127.0.0.1", self.stand.gateway.port
        body = json.dumps(self._asked())
        headers = {"host": f"{host}:{port}", "content-type": "application/json", "content-length": len(body)}
        lines = [f"{name}: {value}" for name, value in (self._headers | headers).items()]
        request = "\r\n".join(["POST /graphql HTTP/1.1", *lines, "", body]).encode()
        reader, writer = await asyncio.open_connection(host, port)
        is_whole = self.draws.random() >= 1 / 4
        writer.write(request if is_whole else request[:-5])
        answer = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.draws.uniform(0, _MOST_SECONDS)):
                answer = await reader.read(1)
        writer.transport.abort()
        self.left += is_whole and not answer
        self.begun += not is_whole

    async def _wait(self) -> None:
        """Make a client, and wait until it is made."""
        self.asked += 1
        name = f"Patient {self.asked}"
        asked = {"query": CREATE, "variables": {"input": {"name": name}}}
        response = await self.stand.http.post("/graphql", json=asked, headers=self._headers)
        assert response.json()["data"]["createClient"]["errors"] == [], response.text
        self.made.add(name)

    async def _be_late(self, http: httpx.AsyncClient) -> None:
        try:
            response = await http.post("/graphql", json=self._asked(), headers=self._headers)
        except httpx.TimeoutException:
            self.hung += 1
            return
        codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
        assert codes in ([], ["TIMEOUT"]), codes
        self.late += len(codes)

    def _asked(self, *, may_listen: bool = False) -> dict[str, Any]:
        """A page, or a new client; or, where that can be, events or a sync to follow."""
        self.asked += 1
        if may_listen and self.draws.random() < 1 / 3:
            self.listening += 1
            events = {"query": EVENTS, "variables": {"after": self.after}}
            progress = {"query": PROGRESS, "variables": {"run": self.run_id}}
            return self.draws.choice((events, progress))
        if self.draws.random() < 2 / 3:
            return {"query": PAGE, "variables": {}}
        return {"query": CREATE, "variables": {"input": {"name": f"Cancelled {self.asked}"}}}

    @property
    def _headers(self) -> dict[str, Any]:
        return {"authorization": f"Bearer {self.key}"}


async def _ended(socket: Socket) -> int:
    """How many operations came to their end before the pong."""
    ended = 0
    while (message := await socket.receive())["type"] != "pong":
        assert message["type"] != "error", message
        ended += message["type"] == "complete"
    return ended


async def _answers(socket: Socket) -> bool:
    """Whether who asks now on the same socket, and waits, is answered."""
    try:
        async with asyncio.timeout(REST_SECONDS):
            return "errors" not in await socket.ask(PAGE)
    except TimeoutError:
        return False
