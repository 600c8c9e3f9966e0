"""Subscribers to the feed of events that go on where they were, however often they are cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.chaos.insisting import AWAY
from tests.chaos.portfolio import Portfolio
from tests.support.deployment import Gateway
from tests.support.events import Place, listening, place_of
from tests.support.firm import Caller
from tests.support.polling import left_of
from tests.support.sockets import Socket

TRY_AGAIN = 1013
_AGAIN_SECONDS = 0.1
_FOLLOW = "subscription($after: String!) { connectionEvents(after: $after) { cursor kind } }"
_WRITTEN = """
SELECT xid::text::bigint AS xid, position FROM event
 WHERE practice_id = $1 AND (xid::text::bigint, position) > ($2, $3) ORDER BY event.xid, position
"""


@dataclass(kw_only=True)
class Subscriber:
    """`told` are the events after `begin`, each once, in the order in which it heard of them first.

    `cuts`: how often a subscription that had begun was cut off. `odd`: the reasons that are neither that the
    database is away nor a close that says to try again.
    """

    gateway: Gateway
    caller: Caller
    begin: str
    told: list[Place] = field(default_factory=list)
    cuts: int = 0
    odd: list[str] = field(default_factory=list)
    _last: str | None = None

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            place = self._last or self.begin
            try:
                async with listening(self.gateway, self.caller, place, _FOLLOW) as listener:
                    await self._listen(listener.socket)
            except ConnectionClosed as closed:
                if closed.rcvd is None or closed.rcvd.code != TRY_AGAIN:
                    self.odd.append(str(closed))
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen(self, socket: Socket) -> None:
        heard = set(self.told)
        while not (codes := _codes(message := await socket.receive())):
            self._last = message["payload"]["data"]["connectionEvents"]["cursor"]
            place = place_of(self._last)
            if place not in heard:
                heard.add(place)
                self.told.append(place)
        self.cuts += message["type"] == "next"
        self.odd += codes - {AWAY}


def _codes(message: dict[str, Any]) -> set[str]:
    """Why this is no event; empty where it is one."""
    if message["type"] == "next" and "errors" not in message["payload"]:
        return set()
    payload = message.get("payload", [{"extensions": {"code": message["type"]}}])
    errors = payload["errors"] if isinstance(payload, dict) else payload
    return {error["extensions"]["code"] for error in errors}


async def written(portfolio: Portfolio, begin: str) -> list[Place]:
    """What the feed of the practice has after this cursor, as the table says."""
    rows = await portfolio.stand.rows(_WRITTEN, portfolio.practice_id, *place_of(begin))
    return [(row["xid"], row["position"]) for row in rows]


async def misled(subscribers: Sequence[Subscriber], events: Sequence[Place]) -> int:
    """How many events subscribers have not been told of, or in another place than the table has them, in the end."""

    async def differing() -> int:
        pairs = (pair for one in subscribers for pair in zip_longest(one.told, events))
        return sum(told != event for told, event in pairs)

    return await left_of(differing)
