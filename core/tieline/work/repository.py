"""The SQL of jobs: taken down in batches, claimed one by one, every write-back bound to the claim's fence.

A job that a person waits for is claimed by its id. The others are taken in turn: each practice has a line, and the
deployment's own jobs are one more. Of the lines with due jobs the one that had the fewest turns comes next. Whoever
had nothing to do keeps up to `SAVED` turns, so that a small practice's few jobs go before a large one's thousands.
Whoever claims waits for the count of a claim before, but only for a moment: a process that stops in the middle of its
claim stops nobody else.

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
from tieline.work.actor import BACKGROUND, JobRequest, Lane

LEASE = timedelta(seconds=20)
SAVED = 20
_MOMENT = "100ms"
_IN_BACKGROUND = [lane.value for lane in Lane if lane.queue == BACKGROUND]  # what comes first at its head


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A job to ring for: enough to choose its queue, and when it is due."""

    job_id: JobId
    lane: Lane
    due_at: datetime


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

_FREE = "failed_at IS NULL AND due_at <= $3 AND (lease_until IS NULL OR lease_until < clock_timestamp())"
_CLAIM = """
UPDATE job SET lease_owner = $1, lease_until = clock_timestamp() + $2, fence = fence + 1, attempts = attempts + 1,
               again_at = CASE WHEN again_at > $3 THEN again_at END
 WHERE id = (SELECT id FROM next)
RETURNING id, practice_id, actor, lane, arguments::text AS arguments, attempts, fence, correlation_id
"""
_NAMED = f"WITH next AS (SELECT id FROM job WHERE id = $4 AND {_FREE} FOR UPDATE SKIP LOCKED)"
_LINES = "(SELECT id AS line FROM practice UNION ALL SELECT '00000000-0000-0000-0000-000000000000') AS lines"
_HEAD = f"""
SELECT id FROM job WHERE job.line = lines.line AND job.lane = wanted.lane AND {_FREE} ORDER BY due_at, id LIMIT """
_LINES_BY = f"""
WITH lines AS (
     SELECT line, coalesce(turn, 0) AS turn FROM {_LINES} LEFT JOIN job_turn USING (line) ORDER BY """
# Lines are looked at in this order, and only until one has a job. Every fourth turn of a line looks at its lanes from
# the last one, so that none of them waits for ever.
_NEXT = f"""),
next AS (
     SELECT job.id, line, turn
       FROM lines CROSS JOIN LATERAL (
            SELECT job.id
              FROM (SELECT lane FROM unnest($4::text[]) WITH ORDINALITY AS listed (lane, place)
                     ORDER BY CASE WHEN turn % 4 = 3 THEN -place ELSE place END) AS wanted
             CROSS JOIN LATERAL ({_HEAD} 1 FOR UPDATE SKIP LOCKED) AS job LIMIT 1) AS job
      LIMIT 1)
"""
_COUNTED = """,
counted AS (
     INSERT INTO job_turn (line, turn)
     SELECT line, greatest(turn, (SELECT max(turn) FROM job_turn) - $5) + 1 FROM next
         ON CONFLICT (line) DO UPDATE SET turn = greatest(job_turn.turn + 1, excluded.turn))
"""
_IN_TURN = _LINES_BY + "turn, line" + _NEXT + _COUNTED
_OUT_OF_TURN = _LINES_BY + "random()" + _NEXT
_OURS = "id = $1 AND fence = $2 AND lease_owner IS NOT NULL"
_RELEASE = "lease_owner = NULL, lease_until = NULL, rung_at = NULL"
_DUE = f"""
UPDATE job SET rung_at = clock_timestamp()
 WHERE id = ANY (ARRAY(
       SELECT id FROM job
        WHERE lane = 'INTERACTIVE' AND {_FREE} AND (rung_at IS NULL OR rung_at < clock_timestamp() - $1::interval)
        ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING id, lane, due_at
"""
# A table that was empty when its statistics were made seems as cheap to read whole and sort; so that may not be.
_ALONG_THE_INDEX = "SET LOCAL enable_sort = off"
_WAITING = f"""
SELECT count(*) FROM (
     SELECT FROM {_LINES} CROSS JOIN unnest($1::text[]) AS wanted (lane) CROSS JOIN LATERAL ({_HEAD} $2) AS job LIMIT $2
) AS waiting
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
    return [ring for ring in map(_ring, rows) if ring.due_at <= at]


async def claim(job_id: JobId, *, owner: str, at: datetime) -> Claim | None:
    """Take this job if it is due and nobody holds it."""
    return _claimed(await current().row(_NAMED + _CLAIM, owner, LEASE, at, job_id))


async def claim_next(*, owner: str, at: datetime) -> Claim | None:
    """Take a due job of the background that nobody holds, of the practice whose turn it is.

    Raises Busy when another claim of that practice has not ended after a moment.
    """
    await current().run(f"{_ALONG_THE_INDEX}; SET LOCAL lock_timeout = '{_MOMENT}'")
    return _claimed(await current().row(_IN_TURN + _CLAIM, owner, LEASE, at, _IN_BACKGROUND, SAVED))


async def claim_any(*, owner: str, at: datetime) -> Claim | None:
    """The same of any practice, by chance and without counting the turn, so that nobody is waited for."""
    return _claimed(await current().row(_OUT_OF_TURN + _CLAIM, owner, LEASE, at, _IN_BACKGROUND))


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


async def finish(held: Claim) -> Ring | None:
    """Delete the job; one that was asked for again while it ran is due as that request wants it: a ring for then."""
    over = f"DELETE FROM job WHERE {_OURS} AND again_at IS NULL"
    if await current().run(over, held.job_id, held.fence) == 1:
        return None
    again = f"""UPDATE job SET due_at = again_at, again_at = NULL, attempts = 0, {_RELEASE}
                 WHERE {_OURS} RETURNING id, lane, due_at"""
    return _ring_of(await current().row(again, held.job_id, held.fence))


async def put_off(held: Claim, *, due_at: datetime, attempts: int, error: str | None = None) -> Ring | None:
    """Release the job until a calendar instant, or until it was asked for again; an error's pause always holds.

    A ring for when it is due then; None when it is no longer ours.
    """
    sql = f"""UPDATE job SET due_at = CASE WHEN $5::text IS NULL THEN least($3, again_at) ELSE $3 END,
                     attempts = $4, error = $5, {_RELEASE}
               WHERE {_OURS} RETURNING id, lane, due_at"""
    return _ring_of(await current().row(sql, held.job_id, held.fence, due_at, attempts, error))


async def give_up(held: Claim, *, at: datetime, error: str) -> None:
    """Keep the job as failed: it is not tried again, and 'tieline doctor' shows it.

    Asked for again while it ran, it starts anew instead.
    """
    sql = f"""UPDATE job SET failed_at = CASE WHEN again_at IS NULL THEN $3::timestamptz END,
                     due_at = coalesce(again_at, due_at), error = $4, {_RELEASE},
                     attempts = CASE WHEN again_at IS NULL THEN attempts ELSE 0 END
               WHERE {_OURS}"""
    await current().run(sql, held.job_id, held.fence, at, error)


async def take_due(*, at: datetime, rung_before: timedelta, limit: int) -> list[Ring]:
    """Mark a batch of due, unclaimed jobs that people wait for as rung for: several schedulers do not ring twice.

    One that was rung for less than `rung_before` of real time ago is left alone.
    """
    rows = await current().rows(_DUE, rung_before, limit, at)
    return [_ring(row) for row in rows]


async def waiting(*, at: datetime, limit: int) -> int:
    """How many jobs of the background are due and unclaimed; counts no further than the limit."""
    await current().run(_ALONG_THE_INDEX)
    count: int = await current().value(_WAITING, _IN_BACKGROUND, limit, at)
    return count


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


def _claimed(row: Any) -> Claim | None:
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


def _ring_of(row: Any) -> Ring | None:
    return None if row is None else _ring(row)


def _ring(row: Any) -> Ring:
    return Ring(job_id=row["id"], lane=Lane(row["lane"]), due_at=row["due_at"])
