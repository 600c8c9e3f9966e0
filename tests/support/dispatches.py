"""The record of dispatches: which job was claimed when, in what order, written down by the database itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from tests.support.deployment import Deployment

_MAKE = """
CREATE TABLE dispatch (number bigint GENERATED ALWAYS AS IDENTITY, job_id uuid, practice_id uuid, lane text,
                       actor text, due_at timestamptz, at timestamptz, owner text, left_by text,
                       was_held boolean);
CREATE FUNCTION take_down_dispatch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.dispatch (job_id, practice_id, lane, actor, due_at, at, owner, left_by, was_held)
    VALUES (new.id, new.practice_id, new.lane, new.actor, old.due_at, clock_timestamp(), new.lease_owner,
            old.lease_owner, coalesce(old.lease_until > clock_timestamp(), false));
    RETURN NULL;
END $$;
CREATE TRIGGER taken_down AFTER UPDATE ON job FOR EACH ROW WHEN (new.fence > old.fence)
EXECUTE FUNCTION take_down_dispatch();
"""
_DROP = "DROP TRIGGER taken_down ON job; DROP FUNCTION take_down_dispatch; DROP TABLE dispatch"


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """A claim of a job by the process `owner`, after `left_by`, who had it and did not end it.

    `due_at` is calendar time. `was_held`: that one's lease was not over, which may never be.
    """

    job_id: UUID
    practice_id: UUID | None
    lane: str
    actor: str
    due_at: datetime
    at: datetime
    owner: str
    left_by: str | None
    was_held: bool


@dataclass(frozen=True, kw_only=True)
class Dispatches:
    """All claims since the record began."""

    connection: asyncpg.Connection

    async def all(self) -> list[Dispatch]:
        """In the order of the claims."""
        rows = await self.connection.fetch(
            "SELECT job_id, practice_id, lane, actor, due_at, at, owner, left_by, was_held FROM dispatch "
            "ORDER BY number"
        )
        return [Dispatch(**dict(row)) for row in rows]

    async def count(self) -> int:
        count: int = await self.connection.fetchval("SELECT count(*) FROM dispatch")
        return count


@asynccontextmanager
async def dispatches_of(deployment: Deployment) -> AsyncIterator[Dispatches]:
    """Keep the record until the block ends."""
    connection = await deployment.connect()
    await connection.execute(_MAKE)
    try:
        yield Dispatches(connection=connection)
    finally:
        await connection.execute(_DROP)
        await connection.close()
