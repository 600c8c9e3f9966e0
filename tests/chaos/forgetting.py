"""A Redis that is wiped, or killed and started again, amid syncs, and how long what is due then waits for its start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.chaos.portfolio import WAIT_SECONDS
from tests.chaos.stand import Stand
from tests.support.dispatches import Dispatch
from tests.support.polling import until
from tieline.work.actor import QUEUES

_WORK = "sync.work_run"
_WORKED = """
SELECT id FROM job WHERE actor = $1 AND lease_until > clock_timestamp() LIMIT 1
"""
_NOW = "SELECT clock_timestamp() AS at"
_MISSED = "doorbell.away"
_QUEUES = [f"dramatiq:{queue}" for queue in QUEUES]


@dataclass(kw_only=True)
class Forgetting:
    """Strikes while a sync is worked and Redis holds several messages; the provider answers nobody until then.

    `latency` is the provider's. `back` is when Redis was there again, each time.
    """

    stand: Stand
    several: int
    latency: float
    wipes: int = 0
    kills: int = 0
    lost: int = 0
    back: list[datetime] = field(default_factory=list)

    async def wipe(self) -> None:
        async with self.stand.sandbox.holding(then=self.latency):
            await self._until_amid()
            with self.stand.redis.client() as client:
                client.flushall()
            await self._is_back()
        self.wipes += 1

    async def kill(self, *, away: float | None) -> None:
        """It stays away for so many seconds, or until somebody has missed it."""
        async with self.stand.sandbox.holding(then=self.latency):
            await self._until_amid()
            await asyncio.to_thread(self.stand.redis.kill)
        self.kills += 1
        if away is None:
            await until(self._is_missed, "somebody says that Redis is away")
        else:
            await asyncio.sleep(away)
        await self._is_back()
        await asyncio.to_thread(self.stand.redis.start)

    def waits(self, dispatches: Sequence[Dispatch]) -> list[list[timedelta]]:
        """After each strike: how long those syncs waited that were due when Redis was back, or fell due after it."""
        ends = [*self.back[1:], None]
        return [
            [
                one.at - max(one.due_at, back)
                for one in dispatches
                if one.actor == _WORK and one.at > back and (end is None or one.at < end)
            ]
            for back, end in zip(self.back, ends, strict=True)
        ]

    async def _until_amid(self) -> None:
        """What is lost with Redis is counted: the messages that no worker has fetched yet."""
        unread = 0
        with self.stand.redis.client() as client:

            async def amid() -> bool:
                nonlocal unread
                is_worked = bool(await self.stand.rows(_WORKED, _WORK))
                unread = sum(int(str(client.llen(queue))) for queue in _QUEUES)
                return is_worked and unread >= self.several

            await until(amid, f"a sync is worked and {self.several} are rung for", seconds=WAIT_SECONDS)
        self.lost += unread

    async def _is_missed(self) -> bool:
        return any(_MISSED in log for _, log in self.stand.logged())

    async def _is_back(self) -> None:
        """Noted before anybody may go on by it."""
        [now] = await self.stand.rows(_NOW)
        self.back.append(now["at"])
