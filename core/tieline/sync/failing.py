"""Runs that end as FAILED: the row, the next try, and an event for whom the organisation serves."""

from __future__ import annotations

from collections.abc import Mapping

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.events.kinds import SyncFailed
from tieline.ids import ClientId, OrganisationId, PracticeId, RunId
from tieline.principal import Principal
from tieline.sync.due.times import next_try
from tieline.sync.repository import RunRepository, set_next_syncs
from tieline.sync.runs import FailureReason, RunState, Trigger
from tieline.sync.standing import Standing, ended
from tieline.work import Work, retrying, unit_of_work

_EXTRA = frozenset({Trigger.SETTINGS, Trigger.WEBHOOK})


@retrying
async def fail(
    practice_id: PracticeId, run_id: RunId, reason: FailureReason, message: str, *, calls: Mapping[str, int]
) -> None:
    """End the run, if it is live: nothing is left to do for its job, and the next run comes by itself.

    `calls` are those, by feed, that are not counted yet.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        runs = RunRepository.of(practice_id)
        organisation_id = await runs.organisation_of(run_id)
        if organisation_id is None:
            return
        await OrganisationRepository.of(practice_id).lock([organisation_id])
        standing = await runs.lock(run_id)
        if standing is not None:
            await end_failed(work, practice_id, standing.with_calls(calls), reason, message)


async def end_failed(
    work: Work, practice_id: PracticeId, standing: Standing, reason: FailureReason, message: str
) -> None:
    """The same for a run that is locked, as its organisation is."""
    runs, organisation_id = RunRepository.of(practice_id), standing.organisation_id
    over = ended(standing, RunState.FAILED, at=work.now, reason=reason, message=message)
    await runs.put(over, at=work.now)
    failures = await runs.failures_in_a_row(organisation_id)
    # However often webhooks come or settings change and their syncs fail, what is due comes when it would have come.
    is_extra = standing.trigger in _EXTRA
    await set_next_syncs(practice_id, {organisation_id: next_try(work.now, failures)}, only_sooner=is_extra)
    work.hint("sync_run", standing.id)
    for client_id in await client_of(practice_id, organisation_id):
        work.event(
            SyncFailed(
                client_id=client_id, organisation_id=organisation_id, run_id=standing.id, reason=reason
            )
        )


async def client_of(practice_id: PracticeId, organisation_id: OrganisationId) -> list[ClientId]:
    """Whom the organisation serves, if anybody."""
    found = await OrganisationRepository.of(practice_id).get_many([organisation_id])
    return [each.client_id for each in found if each.client_id is not None]
