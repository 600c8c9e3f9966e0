"""Processes of callers: for every organisation some that call as often as their gate lets them, until told to end.

They are forks of one that has imported everything.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Event as Ending
from pathlib import Path
from typing import Any

from tests.quota.counting import CONCURRENT, DAY, MINUTE, MINUTE_SECONDS
from tieline.errors import LimitScope, QuotaSpent
from tieline.plugins.faults import Throttled
from tieline.plugins.gate import Gate
from tieline.plugins.limits import Limit, LimitKind, Remaining
from tieline.quota import Block, Blocks, Meter, Quota, RedisGate, script
from tieline.quota.calls import Call
from tieline.quota.process import Ticket, make_client
from tieline.quota.script import Wait
from tieline.work.actor import Lane

_SOURCE = "https://provider.example"
ORGANISATIONS, PROCESSES, CALLERS = 10, 4, 3
ASKED: ContextVar[float] = ContextVar("asked")
LIMITS = (
    Limit(
        name="concurrent",
        scope=LimitScope.ORGANISATION,
        kind=LimitKind.CONCURRENCY,
        most=CONCURRENT,
        source=_SOURCE,
    ),
    Limit(
        name="minute",
        scope=LimitScope.ORGANISATION,
        kind=LimitKind.RATE,
        most=MINUTE,
        window=timedelta(seconds=MINUTE_SECONDS),
        source=_SOURCE,
    ),
    Limit(name="day", scope=LimitScope.ORGANISATION, kind=LimitKind.DAY, most=DAY, source=_SOURCE),
    Limit(
        name="app_minute",
        scope=LimitScope.APP,
        kind=LimitKind.RATE,
        most=10_000,
        window=timedelta(seconds=MINUTE_SECONDS),
        source=_SOURCE,
    ),
)


@dataclass(frozen=True)
class FileBlocks:
    """Long blocks in a folder, a file each, so that all processes of a test see them."""

    folder: Path

    async def load(self) -> Sequence[Block]:
        said = [json.loads(path.read_text()) for path in self.folder.glob("*.json")]
        return [
            Block(
                organisation=one["organisation"],
                limit=one["limit"],
                until=datetime.fromisoformat(one["until"]),
            )
            for one in said
        ]

    async def keep(self, block: Block) -> None:
        told = {"organisation": block.organisation, "limit": block.limit, "until": block.until.isoformat()}
        fresh = self.folder / f"{block.organisation}-{block.limit}.new"
        fresh.write_text(json.dumps(told))
        fresh.rename(fresh.with_suffix(".json"))


class TimedQuota(Quota):
    """Notes when a place was asked for last."""

    async def take(self, call: Call, blocks: Blocks) -> Ticket | Wait:
        ASKED.set(time.monotonic())
        return await super().take(call, blocks)


async def call(gate: Gate, port: int, organisation: str) -> None:
    """Call until cancelled, whatever is spent meanwhile."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        try:
            async with gate.call(organisation) as passage:
                writer.write(f"{organisation} {ASKED.get()}\n".encode())
                told = json.loads(await reader.readline())
                left = [Remaining(limit=name, left=figure) for name, figure in told.get("left", {}).items()]
                passage.answered(left, _throttled(told))
        except QuotaSpent:
            await asyncio.sleep(0.5)


def _throttled(told: dict[str, object]) -> Throttled | None:
    if "limit" not in told:
        return None
    wait = float(str(told["wait"]))
    return Throttled(
        limit=str(told["limit"]),
        scope=LimitScope.ORGANISATION,
        retry_after=timedelta(seconds=wait) if wait else None,
    )


async def work(redis_url: str, port: int, client_id: str, folder: Path, ending: Ending) -> None:
    """One process: call every organisation until it ends. A Redis that is slow here is not taken for lost."""
    script.ANSWER_SECONDS = 30.0
    quota = TimedQuota(make_client(redis_url))
    gate = RedisGate(
        quota,
        meter=Meter(provider="pretend", client_id=client_id),
        limits=LIMITS,
        lane=Lane.BACKGROUND,
        blocks=FileBlocks(folder),
        patience=timedelta(seconds=30),
    )
    tasks = [
        asyncio.create_task(call(gate, port, str(number))) for number in [*range(ORGANISATIONS)] * CALLERS
    ]
    await asyncio.to_thread(ending.wait)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await quota.close()


def begin(*arguments: Any) -> None:
    asyncio.run(work(*arguments))


def main(redis_url: str, port: str, client_id: str, folder: str) -> int:
    """Say `ready`, begin at the first line of standard input, end at its end."""
    forking = get_context("fork")
    ending = forking.Event()
    arguments = (redis_url, int(port), client_id, Path(folder), ending)
    processes = [forking.Process(target=begin, args=arguments) for _ in range(PROCESSES)]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for process in processes:
        process.start()
    sys.stdin.read()
    ending.set()
    for process in processes:
        process.join()
    return max(abs(process.exitcode or 0) for process in processes)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
