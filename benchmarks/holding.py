"""A process that holds sockets, each with a subscription to the events; it says when all were told of one.

It reads one line of JSON with what to open, says `open` once all are, and then, for each event, the instant at which
the last of them was told.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.sockets import PROTOCOL, Socket
from tieline_gateway.connections import files_allowed

_FILES = 10_500
_AT_ONCE = 20
_SUBSCRIPTION = (
    "subscription($after: String!) { connectionEvents(after: $after) { cursor kind at clientId } }"
)


class Told:
    """How many have been told of an event; the last of them says so."""

    def __init__(self, sockets: int) -> None:
        self._sockets = sockets
        self._told: dict[str, int] = {}

    def one_more(self, cursor: str) -> None:
        self._told[cursor] = self._told.get(cursor, 0) + 1
        if self._told[cursor] == self._sockets:
            _say(str(time.monotonic()))


async def hold(url: str, bearers: list[str], sockets: int, after: str) -> None:
    free, told = asyncio.Semaphore(_AT_ONCE), Told(sockets)
    async with asyncio.TaskGroup() as group:

        async def begin(bearer: str) -> None:
            async with free:
                connection = await connect(
                    url, subprotocols=[PROTOCOL], open_timeout=60, ping_interval=None, compression=None
                )
                socket = Socket(connection)
                await socket.acknowledged(bearer)
                await socket.subscribe("events", _SUBSCRIPTION, after=after)
            group.create_task(_follow(connection, told))

        async with asyncio.TaskGroup() as beginning:
            for number in range(sockets):
                beginning.create_task(begin(bearers[number % len(bearers)]))
        _say("open")


async def _follow(connection: ClientConnection, told: Told) -> None:
    while True:
        frame = await connection.recv()
        message: dict[str, Any] = json.loads(frame)
        assert message["type"] == "next", message
        told.one_more(message["payload"]["data"]["connectionEvents"]["cursor"])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    files_allowed(_FILES)
    asyncio.run(hold(**json.loads(sys.stdin.readline())))
