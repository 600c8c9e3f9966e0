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
    lane: Lane
    arguments: dict[str, Any]
    attempts: int
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """A job that was given up, and why."""

    job_id: JobId
    actor: str
    error: str
    failed_at: datetime


_INSERT = """
INSERT INTO job (id, practice_id, actor, arguments, lane, key, due_at, created_at, correlation_id)
SELECT j.id, $2, j.actor, j.arguments::jsonb, j.lane, j.key, j.due_at, $3, $4
  FROM unnest($1::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
       AS j (id, actor, arguments, lane, key, due_at)
"""
# A job that is being run keeps its due time; that it was asked for again is kept beside it.
_MERGE = """
    DO UPDATE SET due_at = CASE WHEN job.failed_at IS NOT NULL THEN excluded.due_at
                                WHEN job.lease_owner IS NULL THEN least(job.due_at, excluded.due_at)
                                ELSE job.due_at END,
                  again_at = CASE WHEN job.lease_owner IS NULL THEN job.again_at
                                  ELSE least(job.again_at, excluded.due_at) END,
                  arguments = excluded.arguments, failed_at = NULL,
                  lane = CASE WHEN job.lane = 'INTERACTIVE' THEN job.lane ELSE excluded.lane END,
                  error = CASE WHEN job.failed_at IS NULL THEN job.error END,
                  attempts = CASE WHEN job.failed_at IS NULL THEN job.attempts ELSE 0 END
"""
_KEYED = " ON CONFLICT (practice_id, key) WHERE practice_id IS NOT NULL AND key IS NOT NULL" + _MERGE
_SYSTEM_KEYED = " ON CONFLICT (key) WHERE practice_id IS NULL AND key IS NOT NULL" + _MERGE

_CLAIM = """
UPDATE job SET lease_owner = $2, lease_until = clock_timestamp() + $3, fence = fence + 1, attempts = attempts + 1,
               again_at = CASE WHEN again_at > $4 THEN again_at END
 WHERE id = (SELECT id FROM job
              WHERE id = $1 AND failed_at IS NULL AND due_at <= $4
                AND (lease_until IS NULL OR lease_until < clock_timestamp())
                FOR UPDATE SKIP LOCKED)
RETURNING id, practice_id, actor, lane, arguments::text AS arguments, attempts, fence, correlation_id
"""
_OURS = "id = $1 AND fence = $2 AND lease_owner IS NOT NULL"
_RELEASE = "lease_owner = NULL, lease_until = NULL, rung_at = NULL"
_DUE = """
UPDATE job SET rung_at = clock_timestamp()
 WHERE id IN (SELECT id FROM job
               WHERE failed_at IS NULL AND due_at <= $1 AND lane = ANY($4::text[])
                 AND (lease_until IS NULL OR lease_until < clock_timestamp())
                 AND (rung_at IS NULL OR rung_at < clock_timestamp() - $2::interval)
               ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING id, lane
"""
_BACKLOG = """
SELECT known.lane,
       count(*) FILTER (WHERE waiting AND failed_at IS NULL) AS due,
       count(*) FILTER (WHERE lease_until >= clock_timestamp()) AS running,
       count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
       coalesce($1 - min(due_at) FILTER (WHERE waiting AND failed_at IS NULL), '0') AS oldest
  FROM unnest($2::text[]) AS known (lane)
  LEFT JOIN LATERAL (
       SELECT *, due_at <= $1 AND (lease_until IS NULL OR lease_until < clock_timestamp()) AS waiting
         FROM job WHERE job.lane = known.lane) AS seen ON true
 GROUP BY known.lane
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
        [request.lane.value for request in requests],
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
        lane=Lane(row["lane"]),
        arguments=json.loads(row["arguments"]),
        attempts=row["attempts"],
        fence=row["fence"],
        correlation_id=row["correlation_id"],
    )


async def renew(held: Claim) -> bool:
    """Push the lease on; False when it is no longer ours."""
    sql = f"UPDATE job SET lease_until = clock_timestamp() + $3 WHERE {_OURS}"
    return await current().run(sql, held.job_id, held.fence, LEASE) == 1


async def assert_held(scope: Scope, held: Claim, *, moved_on: bool = False) -> None:
    """Lock the claim's row until the transaction ends. Raises ClaimLost when another worker has it.

    `moved_on`: the tries so far are forgotten, as this one got somewhere.
    """
    look = f"SELECT true FROM job WHERE {_OURS} FOR SHARE"
    count_anew = f"UPDATE job SET attempts = 0 WHERE {_OURS} RETURNING true"
    if await scope.value(count_anew if moved_on else look, held.job_id, held.fence) is None:
        raise ClaimLost(held.job_id)


async def finish(held: Claim) -> datetime | None:
    """Delete the job; one that was asked for again while it ran is due as that request wants it: when that is."""
    over = f"DELETE FROM job WHERE {_OURS} AND again_at IS NULL"
    if await current().run(over, held.job_id, held.fence) == 0:
        again = f"UPDATE job SET due_at = again_at, again_at = NULL, attempts = 0, {_RELEASE} WHERE {_OURS}"
        return _instant(await current().value(f"{again} RETURNING due_at", held.job_id, held.fence))
    return None


async def put_off(
    held: Claim, *, due_at: datetime, attempts: int, error: str | None = None
) -> datetime | None:
    """Release the job until a calendar instant, or until it was asked for again; an error's pause always holds.

    When it is due then; None when it is no longer ours.
    """
    sql = f"""UPDATE job SET due_at = CASE WHEN $5::text IS NULL THEN least($3, again_at) ELSE $3 END,
                     attempts = $4, error = $5, {_RELEASE}
               WHERE {_OURS} RETURNING due_at"""
    return _instant(await current().value(sql, held.job_id, held.fence, due_at, attempts, error))


async def give_up(held: Claim, *, at: datetime, error: str) -> None:
    """Keep the job as failed: it is not tried again, and 'tieline doctor' shows it.

    Asked for again while it ran, it starts anew instead.
    """
    sql = f"""UPDATE job SET failed_at = CASE WHEN again_at IS NULL THEN $3::timestamptz END,
                     due_at = coalesce(again_at, due_at), error = $4, {_RELEASE},
                     attempts = CASE WHEN again_at IS NULL THEN attempts ELSE 0 END
               WHERE {_OURS}"""
    await current().run(sql, held.job_id, held.fence, at, error)


async def take_due(*, lanes: Sequence[Lane], at: datetime, rung_before: timedelta, limit: int) -> list[Ring]:
    """Mark a batch of due, unclaimed jobs as rung for, so that several schedulers do not ring twice.

    One that was rung for less than `rung_before` of real time ago is left alone.
    """
    rows = await current().rows(_DUE, at, rung_before, limit, [lane.value for lane in lanes])
    return [_ring(row) for row in rows]


async def forget_rings(rings: Sequence[Ring]) -> None:
    """Nobody heard: let the next look ring again."""
    await current().run(
        "UPDATE job SET rung_at = NULL WHERE id = ANY($1::uuid[])", [ring.job_id for ring in rings]
    )


async def failed_jobs(*, limit: int) -> list[Failed]:
    """Jobs that were given up, the latest first."""
    rows = await current().rows(
        "SELECT id AS job_id, actor, error, failed_at FROM job WHERE failed_at IS NOT NULL "
        "ORDER BY failed_at DESC, id LIMIT $1",
        limit,
    )
    return [Failed(**dict(row)) for row in rows]


async def backlog(*, at: datetime) -> list[Backlog]:
    """Figures of every lane, also of those without jobs."""
    rows = await current().rows(_BACKLOG, at, [lane.value for lane in Lane])
    return [Backlog(**{**dict(row), "lane": Lane(row["lane"])}) for row in rows]


def _instant(value: Any) -> datetime | None:
    """What a statement returned, by its type."""
    return value if isinstance(value, datetime) else None


def _ring(row: Any) -> Ring:
    return Ring(job_id=row["id"], lane=Lane(row["lane"]))
