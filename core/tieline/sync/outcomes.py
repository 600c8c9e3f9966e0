"""What becomes of a run when its slice is cut short: the error that came decides.

QuotaSpent, Throttled                       PAUSED until the limit allows calls again
ProviderUnavailable, ProviderMisconfigured  QUEUED again after a growing pause; FAILED after a day of it
ConsentGone                                 FAILED; the connections have expired with the credential
AccessLost                                  the provider is asked: REVOKED_AT_PROVIDER, or else ACCESS_LOST
ScopeMissing, SubscriptionLapsed            the connections expire with that reason
Misbehaved                                  FAILED(PLUGIN)
any other ProviderError                     FAILED(PROVIDER_BROKEN)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tieline import clock
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.runs import settle_runs
from tieline.credentials.repository import CredentialRepository
from tieline.credentials.service import open_session
from tieline.errors import (
    AccessLost,
    ConsentGone,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaSpent,
    ScopeMissing,
    SubscriptionLapsed,
    Throttled,
)
from tieline.events.kinds import SyncFailed, SyncPaused
from tieline.ids import ClientId, OrganisationId, PracticeId, RunId
from tieline.principal import Principal
from tieline.sync.commit import hold
from tieline.sync.due.times import next_try
from tieline.sync.expiring import (
    ACCESS_LOST,
    CONSENT_GONE,
    SCOPE_MISSING,
    SUBSCRIPTION_LAPSED,
    Loss,
    expire,
    goes_on,
    unreached,
)
from tieline.sync.intake import Misbehaved
from tieline.sync.plan import Plan, Step
from tieline.sync.repository import RunRepository, set_next_syncs
from tieline.sync.runs import FailureReason, RunState
from tieline.sync.standing import (
    MAX_STILL,
    Standing,
    ended,
    is_worth_telling,
    pause_in_trouble,
    paused,
    put_off,
)
from tieline.work import Again, Work, retrying, unit_of_work

_UNSAID = timedelta(minutes=1)
_ASK_SECONDS = 120.0
_SEVERAL = 2
_STALLED = "Reading goes round without getting anywhere, so it was stopped."
_LOSSES = {ConsentGone: CONSENT_GONE, ScopeMissing: SCOPE_MISSING, SubscriptionLapsed: SUBSCRIPTION_LAPSED}


@dataclass(frozen=True, kw_only=True, slots=True)
class CutShort:
    """A slice that ended early, at this step. `calls` are those, by feed, that brought no page."""

    plan: Plan
    step: Step
    pages: int
    calls: Mapping[str, int] = field(default_factory=dict)


async def outcome(cut: CutShort, error: Exception) -> Again | None:  # noqa: PLR0911 - one line for each error
    """What to do about the error. Raises what is no business of the provider's or the plugin's, and Stopped."""
    match error:
        case QuotaSpent():
            return await _pause(cut, error.limit, error.resume_at, str(error))
        case Throttled():
            wait = _UNSAID if error.retry_after is None else error.retry_after
            return await _pause(cut, error.limit, clock.now() + wait, str(error))
        case ProviderUnavailable() | ProviderMisconfigured():
            return await _put_off(cut, error)
        case AccessLost():
            return await _access_lost(cut, error)
        case ConsentGone() | ScopeMissing() | SubscriptionLapsed():
            return await _lose(cut, _LOSSES[type(error)], str(error))
        case Misbehaved():
            return await _give_up(cut, FailureReason.PLUGIN, f"The plugin {cut.plan.slug} {error}.")
        case ProviderError():
            return await _give_up(cut, FailureReason.PROVIDER_BROKEN, str(error))
    raise error


async def _pause(cut: CutShort, limit: str, resume_at: datetime, message: str) -> Again | None:
    is_still = cut.pages == 0 and sum(cut.calls.values()) >= _SEVERAL
    if await _paused(cut, limit, resume_at, message, is_still=is_still):
        return Again(resume_at)
    return await _give_up(cut, FailureReason.STALLED, _STALLED)


@retrying
async def _paused(cut: CutShort, limit: str, resume_at: datetime, message: str, *, is_still: bool) -> bool:
    """Whether it is worth waiting: not where slice after slice made calls, and nothing moved."""
    plan = cut.plan
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        before = await hold(plan)
        standing = paused(before, limit, resume_at, message, is_still=is_still)
        if standing.still_slices >= MAX_STILL:
            return False
        await RunRepository.of(plan.practice_id).put(standing.with_calls(cut.calls), at=work.now)
        work.hint("sync_run", plan.run_id)
        if is_worth_telling(before, limit, resume_at, at=work.now):
            for client_id in await client_of(plan.practice_id, plan.organisation_id):
                work.event(
                    SyncPaused(
                        client_id=client_id,
                        organisation_id=plan.organisation_id,
                        run_id=plan.run_id,
                        limit=limit,
                        resume_at=resume_at.isoformat(),
                    )
                )
    return True


async def _put_off(cut: CutShort, error: ProviderError) -> Again | None:
    again = await _in_trouble(cut, str(error))
    return again or await _give_up(cut, FailureReason(error.code), str(error))


@retrying
async def _in_trouble(cut: CutShort, message: str) -> Again | None:
    """When to try again; None once the trouble has lasted too long."""
    plan = cut.plan
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        standing = put_off(await hold(plan), message, at=work.now)
        pause = pause_in_trouble(standing, at=work.now)
        if pause is None:
            return None
        await RunRepository.of(plan.practice_id).put(standing.with_calls(cut.calls), at=work.now)
        work.hint("sync_run", plan.run_id)
        return Again(work.now + pause)


async def _access_lost(cut: CutShort, error: AccessLost) -> Again | None:
    """Ask what the login still reaches: it may have lost the organisation altogether."""
    plan, asked_at = cut.plan, clock.now()
    try:
        session = await open_session(plan.practice_id, cut.step.credential_id, lane=plan.lane)
        async with asyncio.timeout(_ASK_SECONDS):
            reached = await plan.provider.organisations(session, None)
    except AccessLost:
        return await _lose(cut, ACCESS_LOST, str(error))
    except TimeoutError:
        return await _put_off(cut, ProviderUnavailable(plan.slug))
    except ProviderError as trouble:
        return await outcome(cut, trouble)
    is_reached = any(each.external_id == plan.external_id for each in reached)
    return await _lose(cut, ACCESS_LOST if is_reached else unreached(asked_at), str(error))


async def _give_up(cut: CutShort, reason: FailureReason, message: str) -> Again | None:
    return await fail(cut.plan.practice_id, cut.plan.run_id, reason, message, calls=cut.calls)


@retrying
async def _lose(cut: CutShort, loss: Loss, message: str) -> Again | None:
    """Expire the connections that this is about; the run goes on with what others still serve, or else it failed."""
    plan = cut.plan
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        await OrganisationRepository.of(plan.practice_id).lock([plan.organisation_id])
        await CredentialRepository.of(plan.practice_id).lock([cut.step.credential_id])
        standing = (await hold(plan)).with_calls(cut.calls)
        await RunRepository.of(plan.practice_id).put(standing, at=work.now)
        await expire(work, plan, cut.step, loss)
        if await goes_on(plan, cut.step):
            await settle_runs(work, plan.practice_id, [plan.organisation_id], reason=loss.failure)
            return Again(work.now)
        await _end_failed(work, plan.practice_id, standing, loss.failure, message)
    return None


async def fail(
    practice_id: PracticeId,
    run_id: RunId,
    reason: FailureReason,
    message: str,
    *,
    calls: Mapping[str, int] | None = None,
) -> Again | None:
    """End the run, if it is live: nothing is left to do for its job, and the next run comes by itself."""
    await _fail(practice_id, run_id, reason, message, calls or {})
    return None


@retrying
async def _fail(
    practice_id: PracticeId, run_id: RunId, reason: FailureReason, message: str, calls: Mapping[str, int]
) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        runs = RunRepository.of(practice_id)
        organisation_id = await runs.organisation_of(run_id)
        if organisation_id is None:
            return
        await OrganisationRepository.of(practice_id).lock([organisation_id])
        standing = await runs.lock(run_id)
        if standing is not None:
            await _end_failed(work, practice_id, standing.with_calls(calls), reason, message)


async def _end_failed(
    work: Work, practice_id: PracticeId, standing: Standing, reason: FailureReason, message: str
) -> None:
    runs, organisation_id = RunRepository.of(practice_id), standing.organisation_id
    over = ended(standing, RunState.FAILED, at=work.now, reason=reason, message=message)
    await runs.put(over, at=work.now)
    failures = await runs.failures_in_a_row(organisation_id)
    await set_next_syncs(practice_id, {organisation_id: next_try(work.now, failures)})
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
