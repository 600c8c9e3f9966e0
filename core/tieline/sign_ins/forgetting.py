"""The end of a sign-in: EXPIRED when nothing of it can be used any more, and what nobody took is given back.

At some providers revoking a token ends everything that its subject granted to the app. So a waiting token is
revoked only where nothing else has, or may be about to have, that subject: no credential, no other consent that
may still be taken, and nobody who is at the provider at this moment and may come back as just that subject. Where
somebody always is, that waits for an hour: then only whoever is just coming back is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline import clock
from tieline.credentials.actors import let_go_credential
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.giving_back.service import Turn, begin, end, over_with_trouble
from tieline.credentials.pairs import Pair
from tieline.credentials.repository import CredentialRepository, State
from tieline.credentials.revoking import revoke
from tieline.errors import ProviderError
from tieline.host import host
from tieline.ids import PracticeId, SignInId
from tieline.log import fields_of, get_logger
from tieline.principal import Principal
from tieline.sign_ins.checks.left import check_left
from tieline.sign_ins.places import tokens_place
from tieline.sign_ins.repository import SignIn, SignInRepository
from tieline.sign_ins.rounds.repository import CLAIM, Round, RoundRepository
from tieline.sign_ins.states import Outcome, SignInState
from tieline.vault import SealBroken, Secret
from tieline.work import Again, Work, retrying, unit_of_work

_PAUSE = timedelta(minutes=10)
_GIVEN_UP = timedelta(days=7)
_FOR_OTHERS = timedelta(hours=1)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Revocable:
    """A waiting token that nothing needs, and the time to give it back."""

    round: Round
    app: App
    token: Secret
    turn: Turn


async def end_sign_in(practice_id: PracticeId, sign_in_id: SignInId) -> Again | None:
    """Do what is due at this moment; due again when something of the sign-in will have run out."""
    unchecked = await check_left(practice_id, sign_in_id)
    while True:
        due = await _look(practice_id, sign_in_id)
        if not isinstance(due, _Revocable):
            return _earliest([None if due is None else due.at, unchecked])
        async with over_with_trouble(due.turn):
            try:
                await revoke(due.app, due.token, due.turn)
            except ProviderError as error:
                await end(due.turn)
                _log.warning("sign_in.not_revoked", sign_in_id=str(sign_in_id), **fields_of(error))
                return Again(clock.now() + _PAUSE)
            await _drop(practice_id, due)


@retrying
async def _look(practice_id: PracticeId, sign_in_id: SignInId) -> _Revocable | Again | None:
    """What is to be revoked, or when to look again, or nothing any more."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        sign_ins = SignInRepository.of(practice_id)
        if not await sign_ins.lock(sign_in_id):
            return None
        sign_in = await sign_ins.read(sign_in_id)
        assert sign_in is not None
        rounds = await RoundRepository.of(practice_id).of_sign_in(sign_in_id)
        usable = _usable_until(sign_in, rounds, at=work.now)
        if usable is None:
            await _expire(work, sign_in)
        elif not any(each.is_open(work.now) or each.is_pending(work.now) for each in rounds):
            await _settle(work, sign_in)
        later: list[datetime | None] = [usable]
        for each in rounds:
            if each.waiting and not each.unchecked and not each.is_pending(work.now):
                due = await _abandon(work, sign_in, each)
                if isinstance(due, _Revocable):
                    return due
                later.append(due)
        return _earliest(later)


def _usable_until(sign_in: SignIn, rounds: list[Round], *, at: datetime) -> datetime | None:
    """When something of it runs out next; None when nothing of it can be used any more."""
    ends = [each.proof_until for each in rounds if each.is_pending(at)]
    ends += [each.expires_at if each.code_hash is None else at + CLAIM for each in rounds if each.is_open(at)]
    ends.append(sign_in.usable_until)
    return min((end for end in ends if end is not None and end > at), default=None)


async def _expire(work: Work, sign_in: SignIn) -> None:
    """It is over: what it held and nothing else holds is let go. One that failed stays FAILED, with its reason."""
    sign_ins = SignInRepository.of(sign_in.practice_id)
    if sign_in.state not in {SignInState.FAILED, SignInState.EXPIRED}:
        await sign_ins.set_state(sign_in.id, SignInState.EXPIRED, at=work.now)
        work.hint("sign_in", sign_in.id)
    for credential_id in await sign_ins.credentials(sign_in.id):
        work.enqueue(
            let_go_credential,
            key=str(credential_id),
            practice_id=str(sign_in.practice_id),
            credential_id=str(credential_id),
        )


async def _settle(work: Work, sign_in: SignIn) -> None:
    """The last round came to nothing; what earlier ones found is usable for a while yet."""
    if sign_in.state in {SignInState.STARTED, SignInState.CONSENTED}:
        await SignInRepository.of(sign_in.practice_id).set_state(sign_in.id, SignInState.READY, at=work.now)
        work.hint("sign_in", sign_in.id)


async def _abandon(work: Work, sign_in: SignIn, abandoned: Round) -> _Revocable | datetime | None:
    """What becomes of a token that nobody took: dropped here, unless it is to be revoked, now or later."""
    practice_id, subject = sign_in.practice_id, abandoned.subject
    rounds, app = RoundRepository.of(practice_id), await AppRepository.of(practice_id).get(sign_in.app_id)
    assert app is not None
    assert subject is not None
    await rounds.hold_subjects(app.id)
    kept = await CredentialRepository.of(practice_id).by_subject(app.id, subject)
    token = await _token(practice_id, abandoned)
    too_old = sign_in.created_at + _GIVEN_UP <= work.now
    wanted = (kept is not None and kept.state is State.LIVE) or await rounds.pending_subject(
        app.id, subject, at=work.now, besides=abandoned.id
    )
    if too_old and not wanted and token is not None:
        _log.error("sign_in.revocation_given_up", sign_in_id=str(sign_in.id), round_id=str(abandoned.id))
    if wanted or too_old or token is None:
        await rounds.drop_tokens(abandoned.id)
        return None
    until = await _in_the_way(rounds, app, _left_at(sign_in, abandoned) + _FOR_OTHERS, at=work.now)
    if until is not None:
        return until
    return _Revocable(round=abandoned, app=app, token=token, turn=await begin(practice_id, app.id))


async def _in_the_way(
    rounds: RoundRepository, app: App, no_later: datetime, *, at: datetime
) -> datetime | None:
    """Until when somebody may come back as just that subject who is waited for; None when nobody is."""
    if at >= no_later:
        return await rounds.exchanged_until(app.id, at=at)
    until = await rounds.open_until(app.id, at=at)
    return None if until is None else min(until, no_later)


def _left_at(sign_in: SignIn, abandoned: Round) -> datetime:
    """Since when nobody can take it."""
    is_refused = abandoned.outcome is Outcome.REFUSED
    left = abandoned.consented_at if is_refused else abandoned.proof_until
    return left or sign_in.created_at


def _earliest(instants: Iterable[datetime | None]) -> Again | None:
    some = [each for each in instants if each is not None]
    return Again(min(some)) if some else None


async def _token(practice_id: PracticeId, abandoned: Round) -> Secret | None:
    sealed = await RoundRepository.of(practice_id).sealed_tokens(abandoned.id)
    if sealed is None:
        return None
    try:
        return Pair.opened(sealed, host().vault, tokens_place(practice_id, abandoned.id)).refresh
    except SealBroken:
        _log.warning("sign_in.seal_broken", round_id=str(abandoned.id))
        return None


@retrying
async def _drop(practice_id: PracticeId, revoked: _Revocable) -> None:
    async with unit_of_work(Principal.machine(practice_id)):
        await RoundRepository.of(practice_id).drop_tokens(revoked.round.id)
        await revoked.turn.end()
