"""Processes of bare sessions: for every organisation some that call as often as the quota lets them, until the end.

They are forks of one that has imported everything, and live on a proof's calendar, in Redis too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from multiprocessing import get_context
from multiprocessing.synchronize import Event as Ending
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from redis.asyncio import Redis

from tests.proofs.pace import Pace
from tieline import clock, plugins
from tieline.cli.opened import configured
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, meter_of, provider_of
from tieline.database import scope
from tieline.errors import ProviderUnavailable, QuotaSpent, Throttled
from tieline.ids import AppId, PracticeId
from tieline.lifespan import ready
from tieline.plugins import Session
from tieline.quota import KeptInRows, Lasting, Quota, RedisGate, lines, process, script
from tieline.quota.calls import LATEST_ARRIVAL, Call
from tieline.quota.memory import QUIET
from tieline.quota.process import Ticket, make_client
from tieline.quota.script import Script, Wait
from tieline.vault import Secret
from tieline.work import Lane

_PATIENCE = timedelta(minutes=10)
_LOOK_SECONDS = 0.02
_ANSWER_SECONDS = 30.0
_CONNECTIONS = 200
_ASKS_AGAIN_SECONDS = 5.0
_PACED = (
    (
        "local now = real + asked.offset",
        "local now = math.floor(asked.base + (real - asked.since) * asked.speed)",
    ),
    ("name .. ' ' .. text(real)", "name .. ' ' .. text(now)"),
    ("real >= since + asked.doubt", "now >= since + asked.doubt"),
)
"""What of the script tells the time: the calendar, and since when Redis remembers."""

_asked: ContextVar[float] = ContextVar("asked")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Whose calls: `tokens` has an access token for each organisation, `callers` is how many each has in a process.

    `lane` is the one that they call in.
    """

    pace: str
    practice_id: str
    app_id: str
    tokens: dict[str, str]
    callers: int
    processes: int
    lane: str = Lane.BACKGROUND

    def written(self, path: Path) -> Path:
        path.write_text(json.dumps(vars(self)))
        return path


@dataclass(frozen=True, slots=True)
class Given:
    """A `TokenSource` of one token."""

    token: Secret

    async def access(self) -> Secret:
        return self.token

    async def renewed(self, stale: Secret) -> Secret:
        raise AssertionError(f"{stale} should last")


class PacedScript(Script):
    """The script by the proof's calendar."""

    pace: Pace

    def __init__(self, client: Redis, **more: Any) -> None:
        super().__init__(client, **more)
        source = files("tieline.quota").joinpath("quota.lua").read_text(encoding="utf-8")
        for real, paced in _PACED:
            assert source.count(real) == 1, real
            source = source.replace(real, paced)
        self._run = client.register_script(source)

    async def _ask(self, *arguments: Any, **more: Any) -> list[str]:
        since, base, speed = self.pace.figures()
        more |= {"since": since * 1000, "base": base * 1000, "speed": speed}
        return await super()._ask(*arguments, **more)


class TimedQuota(Quota):
    """Notes when a place was asked for last."""

    async def take(self, call: Call, lasting: Lasting) -> Ticket | Wait:
        _asked.set(clock.now().timestamp())
        return await super().take(call, lasting)


def live_by(pace: Pace) -> None:
    """Set all clocks of this process by this calendar. A Redis that is slow here is not taken for lost."""
    slept = lines.Line.sleep

    async def sleep(line: lines.Line, seconds: float, *, soon: bool) -> None:
        """What waits for a place in flight waits in real time, for calls take that."""
        await (slept(line, seconds, soon=True) if soon else pace.sleep(seconds))

    PacedScript.pace = pace
    for where, name, what in (
        (clock, "now", pace.now),
        (lines.Line, "sleep", sleep),
        (process, "Script", PacedScript),
        (script, "ANSWER_SECONDS", _ANSWER_SECONDS),
        (process, "ANSWER_SECONDS", _ANSWER_SECONDS),
    ):
        setattr(where, name, what)


def stamping() -> httpx.AsyncClient:
    """A client whose requests say when their place was asked for, and how late the quota lets them come."""

    async def stamp(request: httpx.Request) -> None:
        request.headers["x-asked"] = str(_asked.get())
        request.headers["x-lateness"] = str(LATEST_ARRIVAL.total_seconds())

    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    return httpx.AsyncClient(event_hooks={"request": [stamp]}, limits=limits, timeout=_ANSWER_SECONDS)


def session_of(
    app: App,
    client: httpx.AsyncClient,
    quota: Quota,
    pace: Pace,
    organisation: str,
    token: str,
    lane: Lane,
) -> Session:
    provider = provider_of(app)
    gate = RedisGate(
        quota,
        meter=meter_of(app),
        limits=tuple(provider.limits(app.tier)),
        lane=lane,
        lasting=KeptInRows(app.practice_id, app.id),
        patience=_PATIENCE,
    )
    return Session(
        client=client,
        provider=provider,
        endpoints=endpoints_of(app),
        tokens=Given(Secret(token)),
        gate=gate,
        subject=organisation,
        organisation=organisation,
        now=clock.now,
        sleep=pace.sleep,
    )


async def call(session: Session, pace: Pace) -> None:
    """Call until cancelled. Whoever is told of something spent asks again soon, for Redis may have forgotten it."""
    organisation = str(session.organisation)
    path, headers = {
        "xero": ("api.xro/2.0/Organisation", {"xero-tenant-id": organisation}),
        "quickbooks": (f"v3/company/{organisation}/companyinfo/{organisation}", {}),
    }[session._slug]
    while True:
        try:
            await session.get(path, headers=headers)
        except QuotaSpent as spent:
            left = (spent.resume_at - pace.now()).total_seconds()
            await pace.sleep(min(left, _ASKS_AGAIN_SECONDS))
        except (Throttled, ProviderUnavailable):
            continue


async def watch(pace: Pace, number: int) -> None:
    """Tell how busy this process is: how much later than it should it comes to its turn."""
    worst = 0.0
    while True:
        began = time.monotonic()
        await asyncio.sleep(_LOOK_SECONDS)
        worst = max(time.monotonic() - began - _LOOK_SECONDS, worst * 0.8)
        pace.note_lag(number, worst)


async def work(plan: Plan, number: int, ending: Ending) -> None:
    """One process: call every organisation until it ends."""
    pace = Pace(Path(plan.pace))
    live_by(pace)
    settings = configured()
    async with ready(settings):
        practice_id = PracticeId(UUID(plan.practice_id))
        async with scope(practice_id):
            app = await AppRepository.of(practice_id).get(AppId(UUID(plan.app_id)))
        assert app is not None
        quiet = QUIET * max(1.0, pace.speed)
        quota = TimedQuota(make_client(settings.redis_url.get_secret_value()), quiet=quiet)
        async with stamping() as client:
            sessions = [
                session_of(app, client, quota, pace, *pair, Lane(plan.lane)) for pair in plan.tokens.items()
            ]
            tasks = [asyncio.create_task(call(session, pace)) for session in sessions * plan.callers]
            tasks.append(asyncio.create_task(watch(pace, number)))
            await asyncio.to_thread(ending.wait)
            broken = [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await quota.close()
        for task in broken:
            task.result()


def begin(plan: Plan, number: int, ending: Ending) -> None:
    asyncio.run(work(plan, number, ending))


def main(path: str) -> int:
    """Begin at once, end at the end of standard input; 0 when none broke."""
    plugins.load(None)
    plan = Plan(**json.loads(Path(path).read_text()))
    forking = get_context("fork")
    ending = forking.Event()
    started = [forking.Process(target=begin, args=(plan, number, ending)) for number in range(plan.processes)]
    for each in started:
        each.start()
    sys.stdin.read()
    ending.set()
    for each in started:
        each.join()
    return max(abs(each.exitcode or 0) for each in started)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
