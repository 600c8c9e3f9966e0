"""What sockets cost that are open and idle: memory, time of a core, a look at who holds them, and an event to all."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.deployed import ask, bearers_of_a_practice, deployed, gateway_of
from tests.support.deployment import Gateway
from tieline.identity.standing import Connected, connected, still
from tieline.ids import ApiKeyId, new_id
from tieline_gateway.connections import files_allowed
from tieline_gateway.presence import LOOK_SECONDS

_FILES = 10_500
_OF_ONE_CALLER = 100
_EVENTS, _LOOKS, _SETTLING_SECONDS = 5, 20, 20
_CURSOR = "{ clients(first: 1) { eventCursor } }"
_CREATE = 'mutation { createClient(input: {name: "Told"}) { client { id } errors { code } } }'


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a process has used so far: bytes that are resident, and seconds of a core."""

    resident: int
    seconds: float

    @classmethod
    def by(cls, pid: int) -> Spent:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(
            resident=pages * os.sysconf("SC_PAGE_SIZE"),
            seconds=sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
        )


async def measured(*, sockets: int, seconds: int) -> list[str]:
    """The lines of a table."""
    files_allowed(_FILES)
    callers = max(2, sockets // _OF_ONE_CALLER)
    async with deployed() as there:
        bearers = await bearers_of_a_practice(there, callers)
        with gateway_of(there.deployment) as gateway:
            pid = gateway.process.popen.pid
            after = (await ask(gateway, bearers[0], _CURSOR)).json()["data"]["clients"]["eventCursor"]
            empty, idle_empty = Spent.by(pid), await _idle(pid, seconds)
            async with _held(gateway, bearers, sockets, after) as last_told:
                await asyncio.sleep(_SETTLING_SECONDS)
                full, idle_full = Spent.by(pid), await _idle(pid, seconds)
                before = Spent.by(pid)
                told = [await _told(gateway, bearers[0], last_told) for _ in range(_EVENTS)]
                telling = (Spent.by(pid).seconds - before.seconds) / _EVENTS
        one, few, many = await _looks(bearers, sockets)
    memory = (full.resident - empty.resident) / sockets / 1024
    more = 1000 * (idle_full - idle_empty) / sockets
    last = f"{median(told):.2f} s, {max(told):.2f} s"
    return [
        f"| {sockets:,} idle sockets of {callers} people on one gateway, each with connectionEvents | |",
        "|---|---|",
        f"| of these people, with API keys, with tokens | {callers - callers // 2}, {callers // 2} |",
        f"| memory a socket | {memory:.0f} KiB |",
        f"| CPU a minute, with none of them | {idle_empty:.2f} s |",
        f"| CPU a minute, with all of them | {idle_full:.2f} s |",
        f"| by how much that is more, for each of them | {more:.2f} ms |",
        f"| an event until the last of them is told: median, longest of {_EVENTS} | {last} |",
        f"| CPU for that, for each of them | {1000 * telling / sockets:.2f} ms |",
        f"| a look, each {LOOK_SECONDS:g} s, at one socket | {one:.1f} ms |",
        f"| at all of them, of {callers} callers | {few:.1f} ms, {few / one:.1f} times as long |",
        f"| at all of them, each of another caller | {many:.1f} ms, {many / one:.1f} times as long |",
    ]


async def _idle(pid: int, seconds: int) -> float:
    """Seconds of a core that it uses in a minute when nobody asks for anything."""
    before = Spent.by(pid)
    await asyncio.sleep(seconds)
    return (Spent.by(pid).seconds - before.seconds) / seconds * 60


@asynccontextmanager
async def _held(
    gateway: Gateway, bearers: Sequence[str], sockets: int, after: str
) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """The sockets, held by another process; yields what waits for the instant at which the last was told."""
    asked = {"url": gateway.socket, "bearers": bearers, "sockets": sockets, "after": after}
    holding = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.holding"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holding.stdin is not None
    assert holding.stdout is not None
    told = holding.stdout
    holding.stdin.write(json.dumps(asked).encode() + b"\n")
    assert await told.readline() == b"open\n"

    async def last_told() -> float:
        return float(await told.readline())

    try:
        yield last_told
    finally:
        if holding.returncode is None:
            holding.kill()
        await holding.wait()


async def _told(gateway: Gateway, bearer: str, last_told: Callable[[], Awaitable[float]]) -> float:
    """How long it takes from a mutation's beginning until every socket has its event."""
    began = time.monotonic()
    await ask(gateway, bearer, _CREATE)
    return await last_told() - began


async def _looks(bearers: Sequence[str], sockets: int) -> tuple[float, float, float]:
    """Milliseconds of a look: at one socket, at all of them of these callers, and at all of callers of their own."""
    callers = [await connected(bearer, None) for bearer in bearers]
    own = [
        Connected(
            practice_id=callers[0].practice_id,
            person_id=callers[0].person_id,
            api_key_id=ApiKeyId(new_id()),
            until=None,
        )
        for _ in range(sockets)
    ]
    kinds = [callers[:1], [callers[n % len(callers)] for n in range(sockets)], own]
    taken: list[list[float]] = [[] for _ in kinds]
    for _ in range(_LOOKS):
        for kind, seconds in zip(kinds, taken, strict=True):
            began = time.perf_counter()
            await still(kind)
            seconds.append(time.perf_counter() - began)
    one, few, many = (1000 * median(seconds) for seconds in taken)
    return one, few, many
