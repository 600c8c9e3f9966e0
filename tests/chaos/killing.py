"""Workers that are killed amid the syncs they work, and what becomes of the runs that break off by it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.chaos.portfolio import WAIT_SECONDS
from tests.chaos.stand import Stand
from tests.support.dispatches import Dispatch
from tests.support.polling import until

_WORKED = """
SELECT id, split_part(lease_owner, ':', 2)::int AS pid, clock_timestamp() AS at FROM job
 WHERE actor = 'sync.work_run' AND lease_until > clock_timestamp()
"""
_LEFT = """
SELECT id FROM job WHERE id = ANY($1) AND split_part(lease_owner, ':', 2)::int = $2 FOR SHARE
"""
_LAPSE = """
UPDATE job SET lease_until = clock_timestamp() - interval '1 second'
 WHERE split_part(lease_owner, ':', 2)::int = $1
"""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A job that a killed worker had at this moment."""

    job_id: UUID
    at: datetime

    def taken_up_after(self, dispatches: Sequence[Dispatch]) -> timedelta | None:
        """How long it lay there; None where nobody has taken it up."""
        later = [one.at for one in dispatches if one.job_id == self.job_id and one.at > self.at]
        return min(later) - self.at if later else None


@dataclass(kw_only=True)
class Killer:
    """Kills workers by these names and starts each again.

    `waits`: what they held comes back when its lease is over. Without that, as if so much time had gone by.
    `latency` is the provider's.
    """

    stand: Stand
    names: Sequence[str]
    draws: random.Random
    waits: bool
    latency: float
    kills: int = 0
    broken: list[Broken] = field(default_factory=list)

    async def strike(self) -> None:
        """Kill one that is in the middle of a sync, which the provider keeps there, and start it again.

        What the server was committing for it at that moment is not broken off: whoever asks waits for that.
        """
        async with self.stand.sandbox.holding(then=self.latency):
            name = self.draws.choice(await self._busy())
            pid = self.stand.pids()[name]
            held = await self._end(name, pid)
        self.kills += 1
        left = {row["id"] for row in await self.stand.rows(_LEFT, [one.job_id for one in held], pid)}
        self.broken += [one for one in held if one.job_id in left]
        if not self.waits:
            await self._lapse(pid)
        await asyncio.to_thread(self.stand.start, name, "worker")

    async def _end(self, name: str, pid: int) -> list[Broken]:
        """It is stopped first, so that what it held can be written down."""
        os.kill(pid, signal.SIGSTOP)
        held = [Broken(job_id=row["id"], at=row["at"]) for row in await self._worked() if row["pid"] == pid]
        await asyncio.to_thread(self.stand.kill, name)
        return held

    async def _busy(self) -> list[str]:
        """The names of those that work at a sync, once there are any."""
        found: list[str] = []

        async def somebody() -> bool:
            pids = {row["pid"] for row in await self._worked()}
            found[:] = sorted(name for name in self.names if self.stand.pids().get(name) in pids)
            return bool(found)

        await until(somebody, "some worker works at a sync", seconds=WAIT_SECONDS)
        return found

    async def _worked(self) -> list[dict[str, Any]]:
        return await self.stand.rows(_WORKED)

    async def _lapse(self, pid: int) -> None:
        """The leases of a dead worker and its calls in flight are over."""
        await self.stand.rows(_LAPSE, pid)
        with self.stand.redis.client() as client:
            for key in client.scan_iter("quota:*:flight:*"):
                client.delete(key)
