"""Front ends that follow a practice's events and are cut off again and again; what each of them shows and was told.

follower ── follow()   load the page, listen from its cursor, and go on after each cut, as docs/frontends.md says
         ── cut()      reset its socket, whatever is under way on it
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.support.events import Place, place_of
from tests.support.firm import Caller
from tests.support.sockets import Socket, caller_at, reset

Shown: TypeAlias = dict[str, Any]
_SHOWN = "id name connections { id statuses }"
_PAGE = f"{{ clients(first: 200) {{ eventCursor nodes {{ {_SHOWN} }} }} }}"
_EVENTS = f"""subscription($after: String!) {{ connectionEvents(after: $after) {{
  cursor clientId client {{ {_SHOWN} }} }} }}"""
_OLDER = 20


@dataclass(kw_only=True)
class Follower:
    """`shown` are clients by id. `told` are the places of events as they came, a list for each time it listened.

    One time in two it goes on from an older cursor than its last, as a front end does that writes down a cursor now
    and then: events come again, and their cursors say so.
    """

    admin: Caller
    url: str
    draws: random.Random
    shown: dict[str, Shown] = field(default_factory=dict)
    told: list[list[Place]] = field(default_factory=list)
    cuts: int = 0
    ends: int = 0
    _cursors: list[str] = field(default_factory=list)
    _connection: ClientConnection | None = None

    async def follow(self) -> None:
        """For ever. An end that is no cut is counted, and followed by the rest like one."""
        page = (await self.admin.ask(_PAGE))["clients"]
        self.shown = {client["id"]: client for client in page["nodes"]}
        self._cursors = [page["eventCursor"]]
        while True:
            with suppress(ConnectionClosed):
                async with caller_at(self.url, self.admin.key) as listening:
                    self._connection = listening.connection
                    await self._listen(listening)
            self._connection = None
            self.ends += 1

    def cut(self) -> bool:
        """Whether there was a line to cut."""
        if self._connection is None:
            return False
        reset(self._connection.transport)
        self._connection = None
        self.cuts += 1
        return True

    @property
    def last(self) -> Place | None:
        """Of the event that it goes on from; None before it has a page."""
        return place_of(self._cursors[-1]) if self._cursors else None

    def compare(self, table: Sequence[Place], clients: dict[str, Shown]) -> Counter[str]:
        """What it was told beside the table of events, and what it shows beside the clients."""
        came = [place for places in self.told for place in places]
        wanted = {place for place in table if place > place_of(self._cursors[0])}
        return Counter(
            again=len(came) - len(set(came)),
            missed=len(wanted.difference(came)),
            foreign=len(set(came).difference(table)),
            disorderly=sum(places != sorted(set(places)) for places in self.told),
            differing=sum(
                clients.get(each) != self.shown.get(each) for each in clients.keys() | self.shown.keys()
            ),
        )

    async def _listen(self, listening: Socket) -> None:
        if self.draws.random() < 1 / 2:
            del self._cursors[max(1, len(self._cursors) - self.draws.randrange(_OLDER)) :]
        places: list[Place] = []
        self.told.append(places)
        await listening.subscribe("events", _EVENTS, after=self._cursors[-1])
        while True:  # what had come when it was cut, but was not taken, is lost
            message = await listening.receive()
            if self._connection is None:
                return
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            event = message["payload"]["data"]["connectionEvents"]
            places.append(place_of(event["cursor"]))
            self._cursors.append(event["cursor"])
            self._apply(event)

    def _apply(self, event: dict[str, Any]) -> None:
        if event["client"] is None:
            self.shown.pop(event["clientId"], None)
        else:
            self.shown[event["clientId"]] = event["client"]
