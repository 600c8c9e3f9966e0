"""Asking for runs and ending them: the rows, the jobs that work them, and a hint for those who watch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from tieline.ids import OrganisationId, PersonId, PracticeId
from tieline.sync.actors import work_run
from tieline.sync.due.times import next_day
from tieline.sync.repository import WantedRun, cancel_runs, queue_runs, set_next_syncs
from tieline.sync.runs import PARTIAL, Run, Trigger
from tieline.work import Lane, Work

_BY_HAND = frozenset({Trigger.MANUAL, Trigger.REFRESH_LISTS})


async def ask_for(
    work: Work,
    practice_id: PracticeId,
    wanted: Iterable[WantedRun],
    *,
    trigger: Trigger,
    person_id: PersonId | None,
    lane: Lane | None = None,
    starts: Mapping[OrganisationId, datetime] | None = None,
) -> list[Run]:
    """One live run for each of these locked organisations, with a job that works it, due now or when it `starts`.

    The next one comes by itself a day later; what asks for some feeds only changes nothing about that. Without a
    `lane`, what is asked for by hand is INTERACTIVE.
    """
    lane = lane or (Lane.INTERACTIVE if trigger in _BY_HAND else Lane.BACKGROUND)
    begins = starts or {}
    runs = await queue_runs(practice_id, wanted, trigger=trigger, person_id=person_id, at=work.now, lane=lane)
    if runs and trigger not in PARTIAL:
        next_syncs = {
            each: next_day(begins.get(each, work.now)) for each in (run.organisation_id for run in runs)
        }
        await set_next_syncs(practice_id, next_syncs)
    for run in runs:
        work.enqueue(
            work_run,
            due_at=begins.get(run.organisation_id),
            key=str(run.id),
            lane=run.lane,
            practice_id=str(practice_id),
            run_id=str(run.id),
        )
        work.hint("sync_run", run.id)
    return runs


async def stop(
    work: Work,
    practice_id: PracticeId,
    *,
    organisation_ids: Collection[OrganisationId],
    reason: str,
) -> None:
    """End the live runs of these locked organisations: their next page is not kept."""
    cancelled = await cancel_runs(practice_id, organisation_ids=organisation_ids, reason=reason, at=work.now)
    for run in cancelled:
        work.hint("sync_run", run.id)
