"""The jobs of syncs: work a run slice by slice, look for organisations that are due.

What they do is imported when they run: those modules are imported by what queues these very jobs.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from tieline.ids import PracticeId, RunId
from tieline.work import Again, Lane, actor


@actor(lane=Lane.BACKGROUND, limit=timedelta(minutes=5))
async def work_run(*, practice_id: str, run_id: str) -> Again | None:
    """Work the run for a slice of half a minute; due again while something is left."""
    from tieline.sync import slices

    return await slices.work_slice(PracticeId(UUID(practice_id)), RunId(UUID(run_id)))


@actor(lane=Lane.BACKGROUND, limit=timedelta(minutes=2), recurs=True)
async def queue_due() -> Again:
    """Queue a sync for each organisation that is due, and look again in a minute."""
    from tieline.sync import scheduling

    return await scheduling.queue_due()
