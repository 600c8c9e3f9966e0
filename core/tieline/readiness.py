"""Whether this process may have traffic: the database, its schema, the doorbell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg

from tieline import clock
from tieline.database import schema_state, system_scope
from tieline.errors import TielineError
from tieline.work import doorbell, repository
from tieline.work.repository import Backlog, Failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """Each as a word or a sentence; a doorbell that is away slows work down but stops nothing."""

    database: str
    schema: str
    doorbell: str

    @property
    def ready(self) -> bool:
        return self.database == "ok" and self.schema == "ok"


async def check(*, seconds: float) -> Readiness:
    """Look at everything this process leans on, within so many seconds of real time."""
    bell = "ok" if await doorbell.answers() else "away: jobs wait until Redis is back"
    try:
        async with asyncio.timeout(seconds):
            state = await schema_state()
    except (TielineError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return Readiness(database="away", schema="unknown", doorbell=bell)
    refusal = state.refusal()
    return Readiness(database="ok", schema=str(refusal) if refusal else "ok", doorbell=bell)


async def job_backlog() -> list[Backlog]:
    """How many jobs wait, run and have failed, by lane. Raises Unavailable."""
    async with system_scope():
        return await repository.backlog(at=clock.now())


async def given_up(*, limit: int) -> list[Failed]:
    """The latest jobs that were given up, and why. Raises Unavailable."""
    async with system_scope():
        return await repository.failed_jobs(limit=limit)
