"""Jobs as the database holds them, looked at and pushed about from above."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import redis

from tests.support.deployment import Deployment
from tests.support.polling import until
from tieline import clock
from tieline.database import system_scope
from tieline.events.actors import prune_events
from tieline.ids import PracticeId
from tieline.work import Actor, Again, Lane, actor, system_work

TEST_KEY = "test"
LONG_AGO = datetime.now(UTC) - timedelta(days=40)

_PRUNING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND state <> 'idle' AND query LIKE '%DELETE FROM event%' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, kw_only=True)
class JobTable:
    """The job table, seen by a superuser. `redis` holds the rings."""

    connection: asyncpg.Connection
    redis: redis.Redis

    async def all(self, key: str = TEST_KEY) -> list[dict[str, Any]]:
        """The rows of this key, as they are now; a deployment has others, such as the daily sweep."""
        rows = await self.connection.fetch("SELECT * FROM job WHERE key LIKE '%:' || $1 ORDER BY id", key)
        return [dict(row) for row in rows]

    async def one(self, key: str = TEST_KEY) -> dict[str, Any]:
        """The only row of this key."""
        rows = await self.all(key)
        assert len(rows) == 1, rows
        return rows[0]

    async def clear(self) -> None:
        await self.connection.execute("DELETE FROM job")
        self.redis.flushdb()

    async def wait_until_over(self) -> dict[str, Any]:
        """Wait until the test's sweep has run and is due again tomorrow; its row."""

        async def over() -> bool:
            job = await self.one()
            return job["lease_owner"] is None and job["due_at"] > datetime.now(UTC) + timedelta(hours=20)

        await until(over, "the sweep is over")
        return await self.one()

    async def rest_daily(self) -> None:
        """Put off what the scheduler queues when it starts, so that only the test's own job is due."""
        await self.connection.execute(
            "UPDATE job SET due_at = due_at + interval '1 day' WHERE key ~ ':(daily|hourly|minutely)$'"
        )
        self.redis.flushdb()

    async def lapse(self, by: timedelta = timedelta(seconds=21)) -> None:
        """As if so much real time had gone by: leases and rings are that much older."""
        await self.connection.execute(
            "UPDATE job SET lease_until = lease_until - $1::interval, rung_at = rung_at - $1::interval", by
        )

    def rings(self, queue: str = "background") -> int:
        """Rings or calls that nobody has fetched yet."""
        waiting = self.redis.llen(f"dramatiq:{queue}")
        assert isinstance(waiting, int)
        return waiting

    def rung_for(self) -> set[str]:
        """The jobs that the rings name; calls name none."""
        messages = self.redis.hgetall("dramatiq:interactive.msgs")
        assert isinstance(messages, dict)
        return {json.loads(message)["args"][0] for message in messages.values()}


@asynccontextmanager
async def pruning_blocked(deployment: Deployment) -> AsyncIterator[None]:
    """Nobody can touch the events until the block ends: who prunes hangs in the middle of it."""
    connection = await deployment.connect()
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def wait_until_pruning(connection: asyncpg.Connection, *, workers: int) -> None:
    """Wait until so many workers are in the middle of the sweep."""

    async def as_many() -> bool:
        return bool(await connection.fetchval(_PRUNING) == workers)

    await until(as_many, f"{workers} worker(s) sweep")


async def enqueue_pruning() -> None:
    """Ask for the sweep, as a job of the test's own."""
    async with system_work() as work:
        work.enqueue(prune_events, key=TEST_KEY, keep_days=30)


async def ask_for(*actors: Actor, key: str = TEST_KEY) -> None:
    """Ask for jobs that take no arguments, one of each actor, in this order."""
    async with system_work() as work:
        for each in actors:
            work.enqueue(each, key=key)


class Errand:
    """An actor that says when it has begun and waits until it may end; `answers` is what it returns."""

    def __init__(self, answers: Again | None = None) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.runs = 0
        self.actor = actor(lane=Lane.INTERACTIVE)(self.run)
        self._answers = answers

    async def run(self) -> Again | None:
        self.runs += 1
        self.begun.set()
        await self.may_end.wait()
        return self._answers


async def calendar() -> datetime:
    """The deployment's calendar instant, moved on or not."""
    async with system_scope():
        return clock.now()


async def old_events(
    connection: asyncpg.Connection, practice_id: PracticeId, *, count: int, at: datetime = LONG_AGO
) -> list[int]:
    """Write events of another time; their positions."""
    rows = await connection.fetch(
        "INSERT INTO event (practice_id, kind, client_id, payload, at, correlation_id) "
        "SELECT $1, 'CLIENT_CREATED', gen_random_uuid(), '{}', $2, 'old' FROM generate_series(1, $3) "
        "RETURNING position",
        practice_id,
        at,
        count,
    )
    return [row["position"] for row in rows]


async def events_of(connection: asyncpg.Connection, practice_id: UUID) -> list[int]:
    rows = await connection.fetch(
        "SELECT position FROM event WHERE practice_id = $1 ORDER BY position", practice_id
    )
    return [row["position"] for row in rows]
