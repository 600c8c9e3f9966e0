"""The check of a consent's tokens: anybody can edit the address that says which organisation they are for.

kept in the round ── asked with them ──┬── opened ───── the organisation's credential has them, or they wait for it
                                       ├── another ──── dropped, not revoked: whose they are is not known
                                       ├── gone ─────── dropped: the provider takes them no more
                                       └── no answer ── they stay; asked again by whoever completes, or by a job;
                                                        a lapsed subscription is one, unless told only to the right
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto

from tieline import clock
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import provider_of
from tieline.credentials.asking import ask_reached
from tieline.credentials.pairs import Pair
from tieline.credentials.service import trial_session
from tieline.errors import (
    AccessLost,
    Busy,
    ConsentGone,
    NotAtProvider,
    ProviderError,
    ProviderUnavailable,
    ScopeMissing,
    SubscriptionLapsed,
)
from tieline.host import host
from tieline.ids import PracticeId, RoundId
from tieline.log import get_logger
from tieline.plugins import Provider, Subject
from tieline.principal import Principal
from tieline.sign_ins.checks.renewing import renewed
from tieline.sign_ins.checks.repository import CheckRepository
from tieline.sign_ins.falling_back import fall_back
from tieline.sign_ins.keeping import hold_tokens
from tieline.sign_ins.places import tokens_place
from tieline.sign_ins.repository import SignIn, SignInRepository
from tieline.sign_ins.rounds.repository import Round, RoundRepository
from tieline.sign_ins.states import Failure, SignInState
from tieline.work import Work, retrying, unit_of_work

_OPEN_SECONDS = 20.0  # twice that, and a renewal, are less than what a lease lasts
_GOOD_FOR = timedelta(seconds=60)
_NOT_THIS_ONE = (AccessLost, ScopeMissing, NotAtProvider)

_log = get_logger(__name__)


class _Verdict(Enum):
    OPENED = auto()
    ANOTHER = auto()
    GONE = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Check:
    """A round that is ours to check, and what it takes to do so."""

    sign_in: SignIn
    round: Round
    app: App
    provider: Provider
    subject: Subject
    pair: Pair


async def check_tokens(practice_id: PracticeId, round_id: RoundId, *, is_ours: bool = False) -> None:
    """Settle what becomes of the round's tokens; nothing where that is settled. `is_ours`: the round is claimed for us.

    Raises Busy while somebody else looks, ProviderError where the provider cannot say, and NotFound where its plugin is
    not installed: then nothing has changed.
    """
    begun = await _begin(practice_id, round_id, is_ours=is_ours)
    if begun is None:
        return
    try:
        check, verdict = await _look(begun)
    except ProviderError:
        await _release(practice_id, round_id)
        raise
    await _settle(check, verdict)


@retrying
async def give_up(practice_id: PracticeId, left: Round) -> None:
    """Drop what nobody could check, or open; it is not revoked, for whose it is is not known."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        if await SignInRepository.of(practice_id).lock(left.sign_in_id):
            await _discard(work, practice_id, left, Failure.CONSENT_FAILED)


@retrying
async def _begin(practice_id: PracticeId, round_id: RoundId, *, is_ours: bool) -> _Check | None:
    async with unit_of_work(Principal.machine(practice_id)):
        rounds = RoundRepository.of(practice_id)
        found, sealed = await rounds.get(round_id), await rounds.sealed_tokens(round_id)
        if found is None or not found.unchecked or sealed is None or found.subject is None:
            return None
        sign_in = await SignInRepository.of(practice_id).read(found.sign_in_id)
        assert sign_in is not None
        app = await AppRepository.of(practice_id).get(sign_in.app_id)
        assert app is not None
        provider = provider_of(app)
        if not await CheckRepository.of(practice_id).lease(round_id, is_ours=is_ours):
            raise Busy
    return _Check(
        sign_in=sign_in,
        round=found,
        app=app,
        provider=provider,
        subject=Subject(id=found.subject, login=found.login, consent=found.consent_mark),
        pair=Pair.opened(sealed, host().vault, tokens_place(practice_id, round_id)),
    )


async def _look(check: _Check) -> tuple[_Check, _Verdict]:
    """What the tokens open, and the check with the pair that was asked with. Raises ProviderError."""
    is_fresh = check.pair.access_expires_at >= clock.now() + _GOOD_FOR
    try:
        if is_fresh:
            try:
                return check, await _verdict(check)
            except ConsentGone:
                _log.info("sign_in.access_refused", round_id=str(check.round.id))
        check = replace(check, pair=await renewed(check.app, check.round.id, check.pair))
        return check, await _verdict(check)
    except ConsentGone:
        return check, _Verdict.GONE


async def _verdict(check: _Check) -> _Verdict:
    """One call. That a subscription lapsed proves the tokens only where no others are told so. Raises ProviderError."""
    session = trial_session(check.app, check.pair, check.subject.id)
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            reached = await ask_reached(check.provider, session)
    except SubscriptionLapsed:
        if not check.provider.oauth.lapse_is_proof:
            raise
        return _Verdict.OPENED
    except _NOT_THIS_ONE:
        return _Verdict.ANOTHER
    except TimeoutError:
        raise ProviderUnavailable(check.app.provider) from None
    named = {each.external_id for each in reached}
    return _Verdict.OPENED if check.subject.id in named else _Verdict.ANOTHER


@retrying
async def _settle(check: _Check, verdict: _Verdict) -> None:
    practice_id, round_id = check.app.practice_id, check.round.id
    async with unit_of_work(Principal.machine(practice_id)) as work:
        await SignInRepository.of(practice_id).lock(check.sign_in.id)
        await RoundRepository.of(practice_id).hold_subjects(check.app.id)
        now = await RoundRepository.of(practice_id).get(round_id)
        if now is None or not now.unchecked:
            return
        if verdict is _Verdict.OPENED:
            await _accept(work, check)
        else:
            failure = Failure.CONSENT_GONE if verdict is _Verdict.GONE else Failure.CONSENT_FAILED
            await _discard(work, practice_id, check.round, failure)
        work.hint("sign_in", check.sign_in.id)


async def _accept(work: Work, check: _Check) -> None:
    """Where another organisation was to be reconnected, a login that was let go of stays so."""
    held = await hold_tokens(
        work,
        check.app,
        check.round.id,
        check.pair,
        check.subject,
        person_id=check.sign_in.person_id,
        only_live=check.round.failure is Failure.DIFFERENT_ORGANISATION,
    )
    await CheckRepository.of(check.app.practice_id).accept(
        check.round.id, tokens_sealed=held.sealed, credential_id=held.credential_id
    )


async def _discard(work: Work, practice_id: PracticeId, nothing: Round, failure: Failure) -> None:
    """The round came to nothing, unless somebody has settled it; what the sign-in has already, it keeps."""
    if not await CheckRepository.of(practice_id).discard(nothing.id, failure):
        return
    _log.warning("sign_in.not_opened", sign_in_id=str(nothing.sign_in_id), failure=failure.value)
    sign_in = await SignInRepository.of(practice_id).read(nothing.sign_in_id)
    if sign_in is not None and sign_in.state is SignInState.CONSENTED:
        await fall_back(work, sign_in, failure)


@retrying
async def _release(practice_id: PracticeId, round_id: RoundId) -> None:
    async with unit_of_work(Principal.machine(practice_id)):
        await CheckRepository.of(practice_id).release(round_id)
