"""The SQL of jobs: taken down in batches, claimed one by one, every write-back bound to the claim's fence.

Due times are calendar time and come in as parameters; leases and rings are liveness and go by the database's
own real clock, which all processes share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tieline.database import Scope, current
from tieline.errors import ClaimLost
from tieline.ids import JobId, PracticeId, new_id
from tieline.work.actor import JobRequest, Lane

LEASE = timedelta(seconds=20)
RING_AGAIN_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A job to ring for: enough to choose its queue."""

    job_id: JobId
    lane: Lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A job that is ours until the lease lapses; `fence` proves it."""

    job_id: JobId
    practice_id: PracticeId | None
    actor: str
    arguments: dict[str, Any]
    attempts: int
    requests: int
    fence: int
    correlation_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """Jobs of one lane: due and unclaimed, being worked, given up; `oldest` is the longest wait of a due one."""

    lane: Lane
    due: int
    running: int
    failed: int
    oldest: timedelta


_INSERT = """
INSERT INTO job (id, practice_id, actor, arguments, lane, key, due_at, created_at, correlation_id)
SELECT j.id, $2, j.actor, j.arguments::jsonb, j.lane, j.key, j.due_at, $3, $4
  FROM unnest($1::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
       AS j (id, actor, arguments, lane, key, due_at)
"""
_MERGE = """
    DO UPDATE SET due_at = least(job.due_at, excluded.due_at), arguments = excluded.arguments,
                  requests = job.requests + 1, failed_at = NULL,
                  attempts = CASE WHEN job.failed_at IS NULL THEN job.attempts ELSE 0 END
"""
_KEYED = " ON CONFLICT (practice_id, key) WHERE practice_id IS NOT NULL AND key IS NOT NULL" + _MERGE
_SYSTEM_KEYED = " ON CONFLICT (key) WHERE practice_id IS NULL AND key IS NOT NULL" + _MERGE

_CLAIM = """
UPDATE job SET lease_owner = $2, lease_until = clock_timestamp() + $3, fence = fence + 1, attempts = attempts + 1
 WHERE id = (SELECT id FROM job
              WHERE id = $1 AND failed_at IS NULL AND due_at <= $4
                AND (lease_until IS NULL OR lease_until < clock_timestamp())
                FOR UPDATE SKIP LOCKED)
RETURNING id, practice_id, actor, arguments::text AS arguments, attempts, requests, fence, correlation_id
"""
_OURS = "id = $1 AND fence = $2 AND lease_owner IS NOT NULL"
_RELEASE = "lease_owner = NULL, lease_until = NULL, rung_at = NULL"
_DUE = """
UPDATE job SET rung_at = clock_timestamp()
 WHERE id IN (SELECT id FROM job
               WHERE failed_at IS NULL AND due_at <= $1
                 AND (lease_until IS NULL OR lease_until < clock_timestamp())
                 AND (rung_at IS NULL OR rung_at < clock_timestamp() - $2::interval)
               ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING id, lane
"""
_BACKLOG = """
SELECT lane,
       count(*) FILTER (WHERE waiting AND failed_at IS NULL) AS due,
       count(*) FILTER (WHERE lease_until >= clock_timestamp()) AS running,
       count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
       coalesce($1 - min(due_at) FILTER (WHERE waiting AND failed_at IS NULL), '0') AS oldest
  FROM (SELECT *, due_at <= $1 AND (lease_until IS NULL OR lease_until < clock_timestamp()) AS waiting
          FROM job) AS seen
 GROUP BY lane
"""


async def insert_jobs(
    scope: Scope, requests: Sequence[JobRequest], *, at: datetime, correlation_id: str
) -> list[Ring]:
    """Write the rows of one unit of work with one statement; one with a known key joins the row there is.

    Returns a ring for each that is due by `at`.
    """
    conflict = _SYSTEM_KEYED if scope.practice_id is None else _KEYED
    rows = await scope.rows(
        _INSERT + conflict + " RETURNING id, lane, due_at",
        [new_id() for _ in requests],
        scope.practice_id,
        at,
        correlation_id,
        [request.actor.name for request in requests],
        [json.dumps(request.arguments) for request in requests],
        [request.actor.lane.value for request in requests],
        [request.key for request in requests],
        [request.due_at for request in requests],
    )
    return [_ring(row) for row in rows if row["due_at"] <= at]


async def claim(job_id: JobId, *, owner: str, at: datetime) -> Claim | None:
    """Take the job if it is due and nobody holds it."""
    row = await current().row(_CLAIM, job_id, owner, LEASE, at)
    if row is None:
        return None
    return Claim(
        job_id=row["id"],
        practice_id=row["practice_id"],
        actor=row["actor"],
        arguments=json.loads(row["arguments"]),
        attempts=row["attempts"],
        requests=row["requests"],
        fence=row["fence"],
        correlation_id=row["correlation_id"],
    )


async def renew(held: Claim) -> bool:
    """Push the lease on; False when it is no longer ours."""
    sql = f"UPDATE job SET lease_until = clock_timestamp() + $3 WHERE {_OURS}"  # noqa: S608 - constants only
    return await current().run(sql, held.job_id, held.fence, LEASE) == 1


async def assert_held(scope: Scope, held: Claim) -> None:
    """Lock the claim's row until the transaction ends. Raises ClaimLost when another worker has it."""
    if await scope.value(f"SELECT true FROM job WHERE {_OURS} FOR SHARE", held.job_id, held.fence) is None:  # noqa: S608
        raise ClaimLost(held.job_id)


async def finish(held: Claim, *, at: datetime) -> None:
    """Delete the job, or make it due at once where it was asked for again while it ran."""
    again = f"UPDATE job SET due_at = $4, attempts = 0, {_RELEASE} WHERE {_OURS} AND requests <> $3"  # noqa: S608
    if await current().run(again, held.job_id, held.fence, held.requests, at) == 0:
        await current().run(f"DELETE FROM job WHERE {_OURS}", held.job_id, held.fence)  # noqa: S608


async def put_off(held: Claim, *, due_at: datetime, error: str | None = None) -> None:
    """Release the job until a calendar instant; without an error its attempts start anew.

    Asked for again while it ran, it is due as that request wants it; only the pause after an error holds.
    """
    sql = f"""UPDATE job SET error = $4, {_RELEASE},
                     due_at = CASE WHEN requests = $5 OR $4::text IS NOT NULL THEN $3 ELSE least(due_at, $3) END,
                     attempts = CASE WHEN $4::text IS NULL THEN 0 ELSE attempts END
               WHERE {_OURS}"""  # noqa: S608 - constants only
    await current().run(sql, held.job_id, held.fence, due_at, error, held.requests)


async def give_up(held: Claim, *, at: datetime, error: str) -> None:
    """Keep the job as failed: it is not tried again, and 'tieline doctor' shows it.

    Asked for again while it ran, it starts anew instead.
    """
    sql = f"""UPDATE job SET failed_at = CASE WHEN requests = $5 THEN $3::timestamptz END, error = $4, {_RELEASE},
                     attempts = CASE WHEN requests = $5 THEN attempts ELSE 0 END
               WHERE {_OURS}"""  # noqa: S608 - constants only
    await current().run(sql, held.job_id, held.fence, at, error, held.requests)


async def take_due(*, at: datetime, limit: int) -> list[Ring]:
    """Mark a batch of due, unclaimed jobs as rung for, so that several schedulers do not ring twice."""
    rows = await current().rows(_DUE, at, RING_AGAIN_AFTER, limit)
    return [_ring(row) for row in rows]


async def backlog(*, at: datetime) -> list[Backlog]:
    rows = await current().rows(_BACKLOG, at)
    return [Backlog(**{**dict(row), "lane": Lane(row["lane"])}) for row in rows]


def _ring(row: Any) -> Ring:
    return Ring(job_id=row["id"], lane=Lane(row["lane"]))
