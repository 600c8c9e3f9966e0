"""Whether this process may have traffic: the database, its schema, the doorbell."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from datetime import timedelta

import asyncpg

from tieline import clock, draining
from tieline.database import SchemaState, oldest_write, pool_figures, schema_state, system_scope
from tieline.errors import TielineError, Unavailable
from tieline.work import doorbell, repository
from tieline.work.repository import Backlog, Failed

_look: asyncio.Task[SchemaState | None] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """Each as a word or a sentence; a doorbell that is away, or a pool that is taken, slows down but stops nothing."""

    database: str
    schema: str
    doorbell: str
    pool: str

    @property
    def ready(self) -> bool:
        return self.database == "ok" and self.schema == "ok"


async def check(*, seconds: float) -> Readiness:
    """Look at everything this process leans on, within so many seconds of real time."""
    fault, state = await asyncio.gather(doorbell.fault(), _schema(seconds))
    bell = fault or "ok"
    if state is None:
        return Readiness(database="away", schema="unknown", doorbell=bell, pool=_pool())
    refusal = state.refusal()
    return Readiness(database="ok", schema=str(refusal) if refusal else "ok", doorbell=bell, pool=_pool())


async def _schema(seconds: float) -> SchemaState | None:
    """None while the database is away. Who asks meanwhile hears the same: there is one connection to ask by."""
    global _look  # noqa: PLW0603 - one process, one connection for it
    if _look is None or _look.done():
        _look = asyncio.create_task(_looked(seconds))
    return await asyncio.shield(_look)


async def _looked(seconds: float) -> SchemaState | None:
    try:
        async with asyncio.timeout(seconds):
            return await schema_state(beside=True)
    except (TielineError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return None


def _pool() -> str:
    figures = pool_figures()
    is_taken = not figures["idle"] and figures["size"] >= figures["limit"]
    return "taken: who comes now waits for a connection" if is_taken else "ok"


async def told(*, seconds: float) -> tuple[bool, dict[str, object]]:
    """What `/readyz` answers: whether it is ready, and the body."""
    if draining.under_way():
        return False, {"ready": False, "draining": True}
    report = await check(seconds=seconds)
    return report.ready, {"ready": report.ready, **asdict(report)}


async def job_backlog() -> list[Backlog]:
    """How many jobs wait, run and have failed, by lane. Raises Unavailable."""
    async with system_scope():
        return await repository.backlog(at=clock.now())


async def held_back() -> timedelta:
    """For how long the events of all practices wait for a transaction that is open. Raises Unavailable."""
    try:
        return await oldest_write()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as away:
        raise Unavailable from away


async def given_up(*, limit: int) -> list[Failed]:
    """The latest jobs that were given up, and why. Raises Unavailable."""
    async with system_scope():
        return await repository.failed_jobs(limit=limit)
