"""Organisations with a backlog: calls from several processes, on a scaled calendar, as the sandbox counts them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from tests.proofs.calling import Plan
from tests.proofs.pace import Pace
from tests.support.deployment import Deployment
from tests.support.polling import until
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.source import ROOT

_LOOK_SECONDS = 0.1
_FASTER, _SLOWEST = 1.05, 0.05


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The sandbox's counters at an instant of its calendar."""

    at: datetime
    calls: dict[str, int]
    refused: dict[str, dict[str, int]]
    most_in_flight: int
    excused: int

    def served(self, organisations: Collection[str]) -> int:
        return sum(self.calls[one] - sum(self.refused[one].values()) for one in organisations)

    def refusals(self, limit: str | None = None) -> int:
        """Calls that this limit refused, or any."""
        counts = (
            count for each in self.refused.values() for name, count in each.items() if limit in {None, name}
        )
        return sum(counts)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What happened between two instants."""

    before: Seen
    after: Seen

    @property
    def minutes(self) -> float:
        return (self.after.at - self.before.at).total_seconds() / 60

    @property
    def calls(self) -> int:
        return sum(self.after.calls.values()) - sum(self.before.calls.values())

    @property
    def excused(self) -> int:
        """Refusals due to calls that came later than anybody counts on."""
        return self.after.excused - self.before.excused

    def refusals(self) -> int:
        return self.after.refusals() - self.before.refusals()

    def served(self, organisations: Collection[str]) -> int:
        return self.after.served(organisations) - self.before.served(organisations)

    def used(self, organisations: Collection[str], minute: int) -> float:
        """Per cent of what the provider allows these organisations in so many minutes."""
        return 100 * self.served(organisations) / (minute * self.minutes * len(organisations))


@dataclass(frozen=True, kw_only=True)
class Paced:
    """A sandbox on a calendar of its own; `counters` is the path of what it counts of one provider."""

    sandbox: Sandbox
    pace: Pace
    file: Path
    counters: str

    async def look(self) -> Seen:
        at = self.pace.now()
        counted = next(iter((await self.sandbox.control("GET", self.counters)).values()))
        return Seen(
            at=at,
            calls={name: one["calls"] for name, one in counted.items()},
            refused={name: one["throttled"] for name, one in counted.items()},
            most_in_flight=max((one["most_in_flight"] for one in counted.values()), default=0),
            excused=self.pace.excused,
        )

    async def all_called(self, organisations: Collection[str]) -> None:
        """Wait until each of these has been."""

        async def look() -> bool:
            return (await self.look()).calls.keys() >= set(organisations)

        await until(look, "all organisations are called")

    async def reached(self, calls: int) -> None:
        """Wait until so many have been at one organisation at once."""

        async def look() -> bool:
            return (await self.look()).most_in_flight >= calls

        await until(look, f"{calls} calls are at one organisation")

    async def stage(self, minutes: float) -> Stage:
        before = await self.look()
        await self.pace.sleep(minutes * 60)
        return Stage(before=before, after=await self.look())


@asynccontextmanager
async def paced_sandbox(folder: Path, *, counters: str) -> AsyncIterator[Paced]:
    """A sandbox that goes by a pace, until the block ends."""
    file = folder / "pace"
    pace = Pace.begin(file, speed=1.0)
    with running_sandbox(folder, "tests.proofs.paced_sandbox", str(file)) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            yield Paced(sandbox=Sandbox(url=url, http=http), pace=pace, file=file, counters=counters)


@asynccontextmanager
async def calling(
    paced: Paced, plan: Plan, deployment: Deployment, *, speed: float, lag: float, answer_seconds: float = 0.1
) -> AsyncIterator[None]:
    """Processes that call all organisations while the block runs, as fast as `speed` and the machine let them.

    The provider takes `answer_seconds` for each call, in real time.
    """
    await paced.sandbox.control("PUT", "/latency", {"seconds": answer_seconds})
    paced.pace.speed = speed
    log = paced.file.with_suffix(".log")
    with log.open("wb") as errors:
        callers = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.proofs.calling"),
            str(plan.written(paced.file.with_suffix(".json"))),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=deployment.environment | {"TIELINE_LOG_LEVEL": "WARNING"},
            cwd=ROOT,
        )
    governor = asyncio.create_task(_govern(paced, plan.processes, most=speed, lag=lag))
    try:
        yield
    finally:
        await callers.communicate(b"")
        governor.cancel()
    assert callers.returncode == 0, log.read_text()


async def _govern(paced: Paced, processes: int, *, most: float, lag: float) -> None:
    """Keep the calendar so slow that the slowest process is not more than `lag` behind, by the calendar."""
    pace = paced.pace
    while True:
        began = time.monotonic()
        await paced.sandbox.control("GET", "/health")
        behind = max(time.monotonic() - began, *pace.lags(processes))
        pace.speed = min(most, pace.speed * _FASTER, max(lag / behind, most * _SLOWEST))
        await asyncio.sleep(_LOOK_SECONDS)
