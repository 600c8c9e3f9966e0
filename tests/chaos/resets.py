"""Sockets that are reset at any moment of their life: half open, nobody's yet, about to listen, or told things."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.stand import Stand
from tests.support.sockets import UPGRADE, Socket, reset, socket_to

_MOST_SECONDS = 0.03
_TOGETHER = 25
EVENTS = "subscription($after: String!) { connectionEvents(after: $after) { cursor client { id name } } }"
PROGRESS = "subscription($run: ID!) { syncProgress(runId: $run) { id state } }"


@dataclass(kw_only=True)
class Resetter:
    """Opens sockets and resets them; those that come so far follow the events after `after`, and the sync `run_id`.

    `told` is how many of the `resets` were being told things when they went; `last` is when the last one was, by
    `time.monotonic`.
    """

    stand: Stand
    key: str = field(repr=False)
    run_id: str
    draws: random.Random
    after: str = ""
    resets: int = 0
    told: int = 0
    last: float = 0.0

    async def strike(self, times: int) -> None:
        most = self.resets + times
        while self.resets < most:
            together = min(_TOGETHER, most - self.resets)
            await asyncio.gather(*(self._one() for _ in range(together)))

    async def _one(self) -> None:
        ways = (self._half_open, self._nobodys, self._about_to_listen, self._told)
        [way] = self.draws.choices(ways, weights=(1, 1, 4, 4))
        await way()
        self.resets += 1

    async def _half_open(self) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.stand.gateway.port)
        writer.write(UPGRADE[: self.draws.choice((-2, None))])
        await self._reset(writer.transport)

    async def _nobodys(self) -> None:
        async with socket_to(self.stand.gateway.socket) as opened:
            await opened.send(type="connection_init", payload=self._payload)
            await self._reset(opened.connection.transport)

    async def _about_to_listen(self) -> None:
        async with socket_to(self.stand.gateway.socket) as opened:
            await self._listen(opened)
            await self._reset(opened.connection.transport)

    async def _told(self) -> None:
        async with socket_to(self.stand.gateway.socket) as opened:
            await self._listen(opened)
            waiting = {"events", "run"}
            while waiting:
                message = await opened.receive()
                assert message["type"] == "next", message
                waiting.discard(message["id"])
            await self._reset(opened.connection.transport)
            self.told += 1

    async def _listen(self, opened: Socket) -> None:
        await opened.acknowledged(self.key)
        await opened.subscribe("events", EVENTS, after=self.after)
        await opened.subscribe("run", PROGRESS, run=self.run_id)

    async def _reset(self, transport: asyncio.BaseTransport) -> None:
        if self.draws.random() < 1 / 2:
            await asyncio.sleep(self.draws.uniform(0, _MOST_SECONDS))
        reset(transport)
        self.last = time.monotonic()

    @property
    def _payload(self) -> dict[str, Any]:
        return {"authorization": f"Bearer {self.key}"}
