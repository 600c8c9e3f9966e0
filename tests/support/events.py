"""Listening to the feed of events over a socket, and the table that it is told from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from tests.support import polling
from tests.support.deployment import Deployment, Gateway
from tests.support.firm import Caller, Firm
from tests.support.sockets import Socket, caller_at
from tieline.database import current, system_scope
from tieline.events.repository import EventCursor

EVENTS = """subscription($after: String!) { connectionEvents(after: $after) {
  cursor kind at clientId connectionId product reason mismatch syncRunId syncReason limit { name } resumeAt
  client { id name } connection { id statuses } organisation { name } } }"""
CURSOR = "{ clients(first: 1) { eventCursor } }"
RENAME = (
    "mutation($id: ID!, $name: String!) { renameClient(input: {id: $id, name: $name}) { errors { code } } }"
)
SECONDS = 30.0

Told = dict[str, Any]

Place: TypeAlias = tuple[int, int]
"""Of an event in the feed: its transaction and its position."""


@dataclass(frozen=True)
class Listener:
    """A socket with one subscription to the events."""

    socket: Socket

    async def message(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self.socket.receive()

    async def next(self) -> Told:
        """The next event; an error fails the test."""
        message = await self.message()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        event: Told = message["payload"]["data"]["connectionEvents"]
        return event

    async def take(self, count: int) -> list[Told]:
        return [await self.next() for _ in range(count)]

    async def refusal(self) -> list[str]:
        """The codes that the subscription ends with, once it has ended."""
        message, end = await self.message(), await self.message()
        assert end["type"] == "complete", end
        return [error["extensions"]["code"] for error in message["payload"]["errors"]]


@asynccontextmanager
async def listening(
    gateway: Gateway, caller: Caller, after: str, query: str = EVENTS
) -> AsyncIterator[Listener]:
    async with caller_at(gateway.socket, caller.key) as socket:
        await socket.subscribe("events", query, after=after)
        yield Listener(socket)


def place_of(cursor: str) -> Place:
    """Where in the table an event stands: its cursor is its identity."""
    read = EventCursor.decode(cursor)
    return read.xid, read.position


async def cursor_of(caller: Caller) -> str:
    """A cursor that everything which was told before stands behind, whoever writes beside: events may come twice."""
    await settled()
    return str((await caller.ask(CURSOR))["clients"]["eventCursor"])


async def settled() -> None:
    """Wait until everything that was under way is committed, so that events which were written are told."""
    begun = await _number("pg_snapshot_xmax")

    async def passed() -> bool:
        return await _number("pg_snapshot_xmin") >= begun

    await polling.until(passed, "what was under way has been committed")


async def _number(bound: str) -> int:
    """A bound of what this moment sees of transactions."""
    async with system_scope():
        return int(await current().value(f"SELECT {bound}(pg_current_snapshot())::text::bigint"))


async def rename(caller: Caller, client_id: str, name: str) -> None:
    assert (await caller.ask(RENAME, id=client_id, name=name))["renameClient"] == {"errors": []}


async def written(
    opened: Deployment, firm: Firm, *kinds: str
) -> list[tuple[str, str, str | None, str | None]]:
    """What stands in the table of the practice, in the order of the feed: kind, client, connection and reason."""
    above = await opened.connect()
    rows = await above.fetch(
        "SELECT kind, client_id::text, payload->>'connection_id' AS connection, payload->>'reason' AS reason "
        "FROM event WHERE practice_id = $1 AND (kind = ANY ($2::text[]) OR $2 = '{}') ORDER BY xid, position",
        firm.practice_id,
        list(kinds),
    )
    await above.close()
    return [(row["kind"], row["client_id"], row["connection"], row["reason"]) for row in rows]


def shape(events: Sequence[Told]) -> list[tuple[str, str, str | None, str | None]]:
    """The same of what a front end was told."""
    return [(each["kind"], each["clientId"], each["connectionId"], each["reason"]) for each in events]


async def backlog(opened: Deployment, firm: Firm, client_id: str, count: int) -> None:
    """So many events of one client, written at once, and told to whoever asks from now on."""
    above = await opened.connect()
    await above.execute(
        "INSERT INTO event (practice_id, kind, client_id, payload, at, correlation_id) "
        "SELECT $1, 'CLIENT_RENAMED', $2, '{}', '2031-05-04', 'backlog' FROM generate_series(1, $3)",
        firm.practice_id,
        UUID(client_id),
        count,
    )
    await above.close()
    await settled()
