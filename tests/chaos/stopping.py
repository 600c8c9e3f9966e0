"""Processes that are all told to stop at once, and requests that are under way at that moment."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg
import httpx

from tests.chaos.lines import Line
from tests.chaos.portfolio import each
from tests.chaos.stand import GATEWAY, Stand
from tests.support.firm import Caller

_END_SECONDS = 60.0
_RENAME = 'mutation($id: ID!) { renameClient(input: {id: $id, name: "Renamed"}) { client { name } errors { code } } }'
_RENAMED = {"data": {"renameClient": {"client": {"name": "Renamed"}, "errors": []}}}
_HOLD = "SELECT id FROM client WHERE id = ANY ($1::uuid[]) FOR UPDATE"
_WAITING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%client%'
"""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """How a process ended, and how long it took from the moment it was told."""

    name: str
    code: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """Mutations that wait for rows which somebody holds: half of them requests, half operations on sockets."""

    holder: asyncpg.Connection = field(repr=False)
    requests: Sequence[asyncio.Task[httpx.Response]] = field(repr=False)
    operations: int

    async def let_go(self) -> None:
        await self.holder.execute("ROLLBACK")
        await self.holder.close()

    async def unanswered(self) -> int:
        """Requests that got no answer, or another one than if nobody had been told to stop."""
        answers = await asyncio.gather(*self.requests, return_exceptions=True)
        good = [one for one in answers if isinstance(one, httpx.Response) and one.json() == _RENAMED]
        return len(answers) - len(good)


async def under_way(stand: Stand, caller: Caller, lines: Sequence[Line], *, count: int) -> UnderWay:
    """So many requests, and as many operations on the first of these sockets, all of which wait."""
    ids = await each(caller.create_client, [f"Held {number}" for number in range(2 * count)])
    holder = await stand.deployment.connect()
    await holder.execute("BEGIN")
    await holder.execute(_HOLD, ids)
    requests = [asyncio.create_task(caller.post(_RENAME, id=one)) for one in ids[:count]]
    for line, one in zip(lines[:count], ids[count:], strict=True):
        await line.socket.subscribe("rename", _RENAME, id=one)
    await stand.until_as_many(_WAITING, 2 * count, what="all of them wait")
    return UnderWay(holder=holder, requests=requests, operations=count)


async def all_told_to_stop(stand: Stand, requests: UnderWay) -> list[Stopped]:
    """SIGTERM to all of them in one moment; what is under way may go on as soon as the gateway has heard it."""
    began, processes = time.monotonic(), dict(stand.running)
    stand.running.clear()
    for process in processes.values():
        process.popen.send_signal(signal.SIGTERM)

    async def end(name: str) -> Stopped:
        code = await asyncio.to_thread(processes[name].popen.wait, _END_SECONDS)
        return Stopped(name=name, code=code, seconds=time.monotonic() - began)

    ending = asyncio.gather(*(end(name) for name in processes))
    await asyncio.to_thread(processes[GATEWAY].wait_for, "gateway.draining")
    await requests.let_go()
    return await ending
