"""What is late and what was given up: jobs by lane, and syncs that nobody has queued."""

from __future__ import annotations

from datetime import timedelta

from tieline import clock, readiness
from tieline.database import system_scope
from tieline.diagnosis import repository
from tieline.diagnosis.finding import Finding, counted, fine, look, mend
from tieline.work.actor import Lane
from tieline.work.repository import Backlog

_SHOWN = 5
_PATIENCE = {Lane.INTERACTIVE: timedelta(minutes=1)}
_PATIENCE_OF_OTHERS = timedelta(minutes=10)
_OVERDUE = timedelta(minutes=10)
_TO_BEGIN_ANEW = (
    "Mend what these errors say; job.given_up in the log of workers has more of each, by its job_id.",
    "Then have them begin anew: docs/operations.md has the SQL under 'Jobs that fail'.",
)


async def look_at_work() -> list[Finding]:
    """Everything that waits. Raises Unavailable."""
    backlog = await readiness.job_backlog()
    async with system_scope():
        overdue = await repository.overdue(before=clock.now() - _OVERDUE)
    return [await _jobs(backlog), *(_late(lane) for lane in backlog if _is_late(lane)), _syncs(overdue)]


async def _jobs(backlog: list[Backlog]) -> Finding:
    said = ", ".join(f"{lane.lane} {lane.due} due, {lane.running} running" for lane in backlog)
    failed = sum(lane.failed for lane in backlog)
    if not failed:
        return fine("jobs", said)
    latest = [f"{job.actor} ({job.job_id}): {job.error}" for job in await readiness.given_up(limit=_SHOWN)]
    return mend("jobs", f"{said}; {failed} given up, the latest:", *latest, *_TO_BEGIN_ANEW)


def _is_late(lane: Backlog) -> bool:
    return lane.due > 0 and lane.oldest > _PATIENCE.get(lane.lane, _PATIENCE_OF_OTHERS)


def _late(lane: Backlog) -> Finding:
    minutes = counted(int(lane.oldest.total_seconds() // 60), "minute")
    remedy = (
        f"See that a scheduler and a worker with --queues {lane.lane.queue} run, and that they reach Redis; "
        "if they do, start more of these workers."
    )
    return mend(f"jobs, {lane.lane}", f"{lane.due} due, the first for {minutes}", remedy)


def _syncs(overdue: int) -> Finding:
    if not overdue:
        return fine("syncs", "all that are due are queued")
    said = f"{counted(overdue, 'organisation')} should have been queued for a sync 10 minutes ago"
    return look(
        "syncs", said, "See that a worker with --queues background runs; its log says sync.not_queued."
    )
