"""Four processes and twenty organisations against a server that counts: nobody is refused, little is left unused."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from tests.quota.counting import CONCURRENT, MINUTE, MINUTE_SECONDS, Counting, counting
from tests.support.deployment import Deployment
from tests.support.source import ROOT
from tieline.ids import new_id

ORGANISATIONS = 20


@asynccontextmanager
async def calling(
    server: Counting, deployment: Deployment, folder: Path, *, processes: int = 4, callers: int = 3
) -> AsyncIterator[None]:
    """Processes that call all organisations while the block runs."""
    client_id = str(new_id())
    arguments = [deployment.redis_url, str(server.port), client_id, str(folder), str(callers)]
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.quota.caller",
            *arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for _ in range(processes)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write(b"\n")
        yield
        for process in started:
            await process.communicate(b"")
        assert [process.returncode for process in started] == [0] * processes
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_the_minute_is_used_and_nobody_is_refused(deployment: Deployment, tmp_path: Path) -> None:
    async with counting(ORGANISATIONS) as server, calling(server, deployment, tmp_path):
        await asyncio.sleep(MINUTE_SECONDS * 3)
        over = [one.windows[:-1] for one in server.organisations.values()]

    counted = server.organisations.values()
    assert max(one.most_in_flight for one in counted) == CONCURRENT
    assert server.refused() <= server.served() // 1_000
    assert min(len(windows) for windows in over) >= 2, "whoever waits does not sleep past the next window"
    assert sum(map(sum, over)) >= 0.9 * MINUTE * sum(map(len, over))


async def test_a_wiped_redis_forgets_no_block_and_costs_next_to_no_refusal(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with counting(ORGANISATIONS) as server, calling(server, deployment, tmp_path):
        blocked = server.organisations["7"]
        blocked.blocked_until = time.monotonic() + 3_600
        await asyncio.sleep(MINUTE_SECONDS * 1.5)
        asked = blocked.asked_while_blocked
        async with Redis.from_url(deployment.redis_url) as redis:
            await redis.flushdb()
        await asyncio.sleep(MINUTE_SECONDS * 1.5)

    assert 1 <= asked <= CONCURRENT
    assert blocked.asked_while_blocked == asked
    assert server.refused() - asked <= server.served() // 100
    assert min(len(one.windows) for one in server.organisations.values() if one is not blocked) >= 3
