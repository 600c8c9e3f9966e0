"""What becomes of a run when its slice is cut short: the error that came decides.

QuotaSpent                                  PAUSED until the limit allows calls again
Throttled                                   PAUSED as long as it says, and ever longer; FAILED after a day of it
ProviderUnavailable, ProviderMisconfigured  QUEUED again after a growing pause; FAILED after a day of it
ConsentGone                                 FAILED; the connections have expired with the credential
AccessLost                                  the provider is asked: REVOKED_AT_PROVIDER, or else ACCESS_LOST
ScopeMissing, SubscriptionLapsed            the connections expire with that reason
AnswerTooLarge, PageTooLarge                asked again for half as much, where the plugin can
Misbehaved                                  FAILED(PLUGIN)
any other ProviderError                     FAILED(PROVIDER_BROKEN)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from tieline import clock
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.runs import settle_runs
from tieline.credentials.asking import ask_reached
from tieline.credentials.repository import Credential, CredentialRepository
from tieline.credentials.service import open_session
from tieline.errors import (
    AccessLost,
    AnswerTooLarge,
    ConsentGone,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaSpent,
    ScopeMissing,
    SubscriptionLapsed,
    Throttled,
)
from tieline.events.kinds import SyncPaused
from tieline.plugins import SMALLEST_PAGE, Session
from tieline.principal import Principal
from tieline.sync.commit import hold
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
from tieline.sync.failing import client_of, end_failed, fail
from tieline.sync.intake import Misbehaved, PageTooLarge
from tieline.sync.plan import Plan, Step
from tieline.sync.repository import RunRepository
from tieline.sync.runs import FailureReason
from tieline.sync.standing import (
    Standing,
    pause_in_trouble,
    paused,
    put_off,
    refused,
    told,
)
from tieline.sync.why_paused import why_paused
from tieline.work import Again, retrying, unit_of_work

_UNSAID = timedelta(minutes=1)
_ASK_SECONDS = 120.0
_SEVERAL = 2
_STALLED = "Reading goes round without getting anywhere, so it was stopped."
_Pausing: TypeAlias = Callable[[Standing, datetime], Standing | None]
_LOSSES = {ConsentGone: CONSENT_GONE, ScopeMissing: SCOPE_MISSING, SubscriptionLapsed: SUBSCRIPTION_LAPSED}


@dataclass(frozen=True, kw_only=True, slots=True)
class CutShort:
    """A slice that ended early, at this step. `calls` are those, by feed, that brought no page.

    `session` is what the step was read through, if it came to that.
    """

    plan: Plan
    step: Step
    pages: int
    calls: Mapping[str, int] = field(default_factory=dict)
    session: Session | None = None

    @property
    def is_still(self) -> bool:
        """Whether several calls were used up, and brought no page. What a limit refused did nothing."""
        used = self.session.calls - self.session.refused if self.session is not None else 0
        return self.pages == 0 and used >= _SEVERAL

    def is_older_than(self, credential: Credential) -> bool:
        """Whether the credential has got other tokens since the session was opened, such as by a new consent."""
        return self.session is not None and self.session.version != credential.version

    @property
    def asked_size(self) -> int | None:
        """How many records were asked for; None where the plugin cannot say."""
        return self.session.asked_size if self.session is not None else None


async def outcome(cut: CutShort, error: Exception) -> Again | None:  # noqa: PLR0911 - one line for each error
    """What to do about the error. Raises what is no business of the provider's or the plugin's, and Stopped."""
    match error:
        case QuotaSpent():
            return await _pause(cut, error.limit, _spent(cut, error), _STALLED)
        case Throttled():
            return await _pause(cut, error.limit, _refused(cut, error), str(error))
        case ProviderUnavailable() | ProviderMisconfigured():
            return await _put_off(cut, error)
        case AccessLost():
            return await _access_lost(cut, error)
        case ConsentGone() | ScopeMissing() | SubscriptionLapsed():
            return await _lose(cut, _LOSSES[type(error)], str(error))
        case AnswerTooLarge() | PageTooLarge() if cut.asked_size is not None:
            return await _ask_less(cut, error, cut.asked_size)
        case Misbehaved():
            return await _give_up(cut, FailureReason.PLUGIN, f"The plugin {cut.plan.slug} {error}.")
        case ProviderError():
            return await _give_up(cut, FailureReason.PROVIDER_BROKEN, str(error))
    raise error


def _spent(cut: CutShort, error: QuotaSpent) -> _Pausing:
    provider, limit = cut.plan.provider, error.limit
    return lambda before, _: paused(
        before, limit, error.resume_at, why_paused(before, provider, limit), is_still=cut.is_still
    )


def _refused(cut: CutShort, error: Throttled) -> _Pausing:
    provider, limit = cut.plan.provider, error.limit
    wait = _UNSAID if error.retry_after is None else error.retry_after
    return lambda before, at: refused(before, limit, wait, why_paused(before, provider, limit), at=at)


async def _pause(cut: CutShort, limit: str, pausing: _Pausing, stalled: str) -> Again | None:
    again = await _paused(cut, limit, pausing)
    return again or await _give_up(cut, FailureReason.STALLED, stalled)


@retrying
async def _paused(cut: CutShort, limit: str, pausing: _Pausing) -> Again | None:
    """When to go on; None where it is not worth waiting."""
    plan = cut.plan
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        before = await hold(plan)
        standing = pausing(before, work.now)
        if standing is None or standing.resume_at is None:
            return None
        telling = told(standing, at=work.now)
        await RunRepository.of(plan.practice_id).put((telling or standing).with_calls(cut.calls), at=work.now)
        work.hint("sync_run", plan.run_id)
        if telling is not None:
            for client_id in await client_of(plan.practice_id, plan.organisation_id):
                work.event(
                    SyncPaused(
                        client_id=client_id,
                        organisation_id=plan.organisation_id,
                        run_id=plan.run_id,
                        limit=limit,
                        resume_at=standing.resume_at.isoformat(),
                    )
                )
    return Again(standing.resume_at)


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


async def _ask_less(cut: CutShort, error: AnswerTooLarge | PageTooLarge, size: int) -> Again | None:
    if size > SMALLEST_PAGE:
        return await _halved(cut)
    reason = FailureReason.PLUGIN if isinstance(error, PageTooLarge) else FailureReason.PROVIDER_BROKEN
    message = (
        f"Even {size} records of {cut.step.feed.name} are more than the {error.max_bytes:,} bytes that are read "
        f"at once: make the largest of them smaller at {cut.plan.slug}."
    )
    return await _give_up(cut, reason, message)


@retrying
async def _halved(cut: CutShort) -> Again:
    """From now on the run asks for half as many records of this feed."""
    plan, feed = cut.plan, cut.step.feed.name
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        standing = (await hold(plan)).with_calls(cut.calls)
        state = standing.feed(feed)
        smaller = standing.with_feed(feed, replace(state, halved=state.halved + 1))
        await RunRepository.of(plan.practice_id).put(smaller, at=work.now)
        return Again(work.now)


async def _access_lost(cut: CutShort, error: AccessLost) -> Again | None:
    """Ask what the login still reaches: it may have lost the organisation altogether."""
    plan, asked_at = cut.plan, clock.now()
    try:
        session = await open_session(plan.practice_id, cut.step.credential_id, lane=plan.lane)
        async with asyncio.timeout(_ASK_SECONDS):
            reached = await ask_reached(plan.provider, session)
    except AccessLost:
        return await _lose(cut, ACCESS_LOST, str(error))
    except TimeoutError:
        return await _put_off(cut, ProviderUnavailable(plan.slug))
    except ProviderError as trouble:
        return await outcome(cut, trouble)
    is_reached = any(each.external_id == plan.external_id for each in reached)
    return await _lose(cut, ACCESS_LOST if is_reached else unreached(asked_at), str(error))


async def _give_up(cut: CutShort, reason: FailureReason, message: str) -> Again | None:
    await fail(cut.plan.practice_id, cut.plan.run_id, reason, message, calls=cut.calls)
    return None


@retrying
async def _lose(cut: CutShort, loss: Loss, message: str) -> Again | None:
    """Expire the connections that this is about; the run goes on with what others still serve, or else it failed."""
    plan = cut.plan
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        await OrganisationRepository.of(plan.practice_id).lock([plan.organisation_id])
        locked = await CredentialRepository.of(plan.practice_id).lock([cut.step.credential_id])
        standing = (await hold(plan)).with_calls(cut.calls)
        await RunRepository.of(plan.practice_id).put(standing, at=work.now)
        # What was said of older tokens says nothing of these: they are tried first.
        is_outdated = any(cut.is_older_than(credential) for credential in locked)
        if not is_outdated:
            await expire(work, plan, cut.step, loss)
        if is_outdated or await goes_on(plan, cut.step):
            await settle_runs(work, plan.practice_id, [plan.organisation_id], reason=loss.failure)
            return Again(work.now)
        await end_failed(work, plan.practice_id, standing, loss.failure, message)
    return None
