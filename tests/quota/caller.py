"""A process of callers: for every organisation some that call as often as their gate lets them, until told to end."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from redis.asyncio import Redis

from tests.quota.counting import CONCURRENT, DAY, MINUTE, MINUTE_SECONDS
from tieline.errors import LimitScope, QuotaSpent
from tieline.plugins.faults import Throttled
from tieline.plugins.gate import Gate
from tieline.plugins.limits import Limit, LimitKind, Remaining
from tieline.quota import Block, Meter, Quota, RedisGate
from tieline.work.actor import Lane

_SOURCE = "https://provider.example"
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


async def call(gate: Gate, port: int, organisation: str, ending: asyncio.Event) -> None:
    """Call until it ends, whatever is spent meanwhile."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not ending.is_set():
        try:
            async with gate.call(organisation) as passage:
                writer.write(f"{organisation}\n".encode())
                told = json.loads(await reader.readline())
                left = [Remaining(limit=name, left=figure) for name, figure in told.get("left", {}).items()]
                passage.answered(left, _throttled(told))
        except QuotaSpent:
            await asyncio.sleep(0.5)
    writer.close()


def _throttled(told: dict[str, object]) -> Throttled | None:
    if "limit" not in told:
        return None
    wait = float(str(told["wait"]))
    return Throttled(
        limit=str(told["limit"]),
        scope=LimitScope.ORGANISATION,
        retry_after=timedelta(seconds=wait) if wait else None,
    )


async def main(redis_url: str, port: str, client_id: str, folder: str, callers: str) -> None:
    """Say `ready`, begin at the first line of standard input, end at its end."""
    quota = Quota(Redis.from_url(redis_url))
    gate = RedisGate(
        quota,
        meter=Meter(provider="pretend", client_id=client_id),
        limits=LIMITS,
        lane=Lane.BACKGROUND,
        blocks=FileBlocks(Path(folder)),
        patience=timedelta(seconds=30),
    )
    ending = asyncio.Event()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    tasks = [
        asyncio.create_task(call(gate, int(port), str(number % 20), ending))
        for number in range(20 * int(callers))
    ]
    await asyncio.to_thread(sys.stdin.read)
    ending.set()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await quota.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
