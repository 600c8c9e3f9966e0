"""Four processes and ten organisations against a server that counts: nobody is refused, little is left unused."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.quota.caller import ORGANISATIONS
from tests.quota.counting import CONCURRENT, MINUTE, MINUTE_SECONDS, Counting, counting
from tests.support import polling
from tests.support.deployment import Deployment
from tests.support.source import ROOT
from tieline.ids import new_id

BLOCKED = "7"


@asynccontextmanager
async def calling(server: Counting, deployment: Deployment, folder: Path) -> AsyncIterator[None]:
    """Processes that call all organisations while the block runs."""
    callers = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.quota.caller"),
        *(deployment.redis_url, str(server.port), str(new_id()), str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert callers.stdin is not None
    assert callers.stdout is not None
    try:
        assert await callers.stdout.readline() == b"ready\n"
        callers.stdin.write(b"\n")
        yield
    finally:
        await callers.communicate(b"")
    assert callers.returncode == 0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What had happened at a moment: calls served, refused, too late to be counted on; full windows by organisation."""

    served: int
    refused: int
    late: int
    most_in_flight: int
    windows: dict[str, list[int]]

    @classmethod
    def of(cls, server: Counting) -> Seen:
        counted = server.organisations
        return cls(
            served=server.served(),
            refused=server.refused(),
            late=server.late,
            most_in_flight=max(one.most_in_flight for one in counted.values()),
            windows={name: one.windows[:-1] for name, one in counted.items()},
        )


@dataclass(frozen=True, kw_only=True)
class Story:
    """Minutes as they should be; then one organisation is blocked, then Redis is wiped, and the others go on."""

    quiet: Seen
    end: Seen
    asked_before_wipe: int
    asked: int


@pytest.fixture(scope="module")
async def story(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("blocks")
    async with counting(ORGANISATIONS) as server, calling(server, deployment, folder):
        blocked, everybody = server.organisations[BLOCKED], server.organisations.values()
        others = [one for one in everybody if one is not blocked]
        await come(lambda: all(one.windows for one in everybody), "all are called")
        await asyncio.sleep(MINUTE_SECONDS * 2.7)
        quiet = Seen.of(server)
        blocked.blocked_until = time.monotonic() + 3_600
        await come(lambda: blocked.asked_while_blocked > 0, "the blocked organisation is asked for")
        await asyncio.sleep(0.5)
        asked_before_wipe = blocked.asked_while_blocked
        async with Redis.from_url(deployment.redis_url) as redis:
            await redis.flushdb()
        begun = {id(one): len(one.windows) for one in others}
        await come(lambda: all(len(one.windows) > begun[id(one)] for one in others), "all others go on")
        end = Seen.of(server)
    return Story(quiet=quiet, end=end, asked_before_wipe=asked_before_wipe, asked=blocked.asked_while_blocked)


async def come(holds: Callable[[], bool], what: str) -> None:
    async def look() -> bool:
        return holds()

    await polling.until(look, what)


async def test_the_minute_is_used_and_nobody_is_refused(story: Story) -> None:
    over = story.quiet.windows.values()

    assert story.quiet.most_in_flight <= CONCURRENT
    assert story.quiet.refused <= story.quiet.late
    assert min(map(len, over)) >= 2, "whoever waits does not sleep past the next window"
    assert sum(map(sum, over)) >= 0.9 * MINUTE * sum(map(len, over))


async def test_a_wiped_redis_forgets_no_block_and_costs_next_to_no_refusal(story: Story) -> None:
    refused = story.end.refused - story.asked - story.quiet.refused

    assert 1 <= story.asked_before_wipe <= CONCURRENT
    assert story.asked == story.asked_before_wipe
    assert refused <= story.end.served // 100 + story.end.late
