"""Completing a sign-in: the person who began it shows the proof, and only then may act with what it reaches.

    0  where nobody could say it before: the tokens open the organisation that was named   HTTP
    1  the waiting tokens become the credential's, and the credential this person's        one transaction
    2  the provider says which organisations it reaches                                    HTTP
    3  they are written down, what was broken is healed, READY                             one transaction

Whatever fails on the way, the same call goes on from where it was.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tieline import clock
from tieline.activity.kinds import SignInCompleted
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.asking import ask_reached
from tieline.credentials.handing import hand_over
from tieline.credentials.losing import lose_organisations
from tieline.credentials.pairs import Pair
from tieline.credentials.repository import CredentialRepository
from tieline.credentials.service import keep_consent, open_session
from tieline.errors import ConsentGone, NotFound, ProofInvalid, SignInNotReady, SignInOver, TielineError
from tieline.host import host
from tieline.ids import CredentialId, SignInId
from tieline.plugins import Consent, Provider, Reached, Subject
from tieline.principal import Principal
from tieline.sign_ins.checks.service import check_tokens
from tieline.sign_ins.falling_back import fall_back
from tieline.sign_ins.places import tokens_place
from tieline.sign_ins.repository import SignIn, SignInRepository
from tieline.sign_ins.rights import own_sign_in, require_some_client
from tieline.sign_ins.rounds.repository import Round, RoundRepository
from tieline.sign_ins.states import LIFE, Failure, SignInState, over, state_at
from tieline.sign_ins.stock import find_organisations, heal, make_ready
from tieline.sign_ins.trips import hashed
from tieline.vault import Secret
from tieline.work import Work, retrying, unit_of_work

_TOO_LATE = "The browser came back too long ago."
_OVER = frozenset({SignInState.FAILED, SignInState.EXPIRED})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taken:
    """A consent whose tokens the credential holds."""

    sign_in: SignIn
    round: Round
    app: App
    provider: Provider
    credential_id: CredentialId


async def complete_sign_in(principal: Principal, sign_in_id: SignInId, proof: Secret) -> SignIn:
    """Take what the browser came back with; the same proof again has the same answer.

    Raises NotFound, Forbidden, ProofInvalid, SignInNotReady, SignInOver, and ProviderError when the provider
    does not answer: the same call goes on then.
    """
    taken = await _take(principal, sign_in_id, proof)
    while isinstance(taken, Round):
        await check_tokens(principal.practice_id, taken.id)
        taken = await _take(principal, sign_in_id, proof)
    if isinstance(taken, SignIn):
        return taken
    asked_at = clock.now()
    try:
        session = await open_session(principal.practice_id, taken.credential_id)
        reached = await ask_reached(taken.provider, session, _consent(taken.round))
    except ConsentGone as gone:
        await _fail(principal, taken)
        raise _consent_gone() from gone
    if not reached and not taken.provider.info.bulk_consent:
        await _fail(principal, taken)
        raise _consent_gone()
    ready = await _make_ready(principal, taken, reached, asked_at=asked_at)
    if ready is None:
        raise _consent_gone()
    return ready


@retrying
async def _take(principal: Principal, sign_in_id: SignInId, proof: Secret) -> _Taken | SignIn | Round:
    """The sign-in where that is done already; the round where it is still to be seen what its tokens open."""
    async with unit_of_work(principal) as work:
        sign_in = await own_sign_in(principal, sign_in_id, lock=True)
        await require_some_client(principal)
        rounds = await RoundRepository.of(principal.practice_id).of_sign_in(sign_in_id)
        proven = _proven(rounds, proof)
        state = state_at(sign_in.state, sign_in.usable_until, work.now)
        if proven is None:
            raise _refusal(state, sign_in.failure)
        if state is SignInState.EXPIRED or (proven.taken_at is not None and state in _OVER):
            raise over(state, sign_in.failure, field="id")
        if proven.taken_at is not None:
            return sign_in
        if not proven.is_pending(work.now):
            raise SignInOver(_TOO_LATE, field="proof")
        if proven.unchecked:
            until = _proof_until(sign_in, work)
            await RoundRepository.of(principal.practice_id).show(proven.id, proof_until=until)
            return proven

        app, provider = await _app_of(sign_in)
        credential_id = await _hand_over(work, sign_in, proven, app)
    return _Taken(sign_in=sign_in, round=proven, app=app, provider=provider, credential_id=credential_id)


async def _hand_over(work: Work, sign_in: SignIn, proven: Round, app: App) -> CredentialId:
    """The credential of the consent, its tokens there and this person its own. The proof, shown in time, stays good."""
    rounds, credential_id = RoundRepository.of(app.practice_id), proven.credential_id
    await rounds.hold_subjects(app.id)
    sealed = await rounds.sealed_tokens(proven.id)
    if sealed is not None and proven.subject is not None:
        pair = Pair.opened(sealed, host().vault, tokens_place(app.practice_id, proven.id))
        subject = Subject(id=proven.subject, login=proven.login, consent=proven.consent_mark)
        kept = await keep_consent(work, app, pair, subject, person_id=sign_in.person_id, takes_over=True)
        credential_id = kept.id
    elif credential_id is not None:
        await CredentialRepository.of(app.practice_id).lock([credential_id])
        await hand_over(work, app.practice_id, [credential_id], sign_in.person_id)
    else:
        raise SignInOver(_TOO_LATE, field="proof")
    await rounds.move_tokens(proven.id, credential_id, proof_until=_proof_until(sign_in, work))
    return credential_id


def _proof_until(sign_in: SignIn, work: Work) -> datetime:
    return max(sign_in.created_at + LIFE, work.now)


@retrying
async def _make_ready(
    principal: Principal, taken: _Taken, reached: Sequence[Reached], *, asked_at: datetime
) -> SignIn | None:
    """None when the credential has died since the provider was asked; the sign-in has failed then."""
    async with unit_of_work(principal) as work:
        sign_in = await own_sign_in(principal, taken.sign_in.id, lock=True)
        rounds = RoundRepository.of(principal.practice_id)
        round_now = await rounds.get(taken.round.id)
        if round_now is None or round_now.taken_at is not None:
            # Another call of the same proof was quicker.
            return None if sign_in.state is SignInState.FAILED else sign_in

        if not await _write_down(work, taken, reached, asked_at=asked_at):
            await _withdraw(work, sign_in, taken.round)
            return None
        await rounds.take(taken.round.id, at=work.now)
        await make_ready(work, principal.practice_id, sign_in.id)
        work.did(SignInCompleted(sign_in_id=sign_in.id, provider=sign_in.provider))
        return await own_sign_in(principal, sign_in.id)


async def _write_down(work: Work, taken: _Taken, reached: Sequence[Reached], *, asked_at: datetime) -> bool:
    """False, and nothing is healed, when the credential has died."""
    found = await find_organisations(
        work,
        taken.sign_in.id,
        taken.app,
        taken.credential_id,
        reached,
        consented_at=taken.round.consented_at,
    )
    if found is None:
        return False
    # What was consented to after the provider was asked is not in its answer, and is not lost.
    lost = [gone for gone, since in found.before.items() if gone not in found.consented and since <= asked_at]
    if lost:
        await lose_organisations(work, taken.app.practice_id, taken.credential_id, lost)
    mended = await heal(work, found.credential, taken.provider, found.consented, taken.sign_in.person_id)
    await SignInRepository.of(taken.app.practice_id).note_mended(taken.sign_in.id, mended)
    return True


@retrying
async def _fail(principal: Principal, taken: _Taken) -> None:
    async with unit_of_work(principal) as work:
        await _withdraw(work, await own_sign_in(principal, taken.sign_in.id, lock=True), taken.round)


async def _withdraw(work: Work, sign_in: SignIn, gone: Round) -> None:
    """The consent was withdrawn before it was of any use; what earlier rounds found stays."""
    await RoundRepository.of(sign_in.practice_id).take(gone.id, at=work.now)
    await fall_back(work, sign_in, Failure.CONSENT_GONE)
    work.hint("sign_in", sign_in.id)


def _consent(proven: Round) -> Consent | None:
    if proven.consented_at is None:
        return None
    return Consent(mark=proven.consent_mark, at=proven.consented_at)


def _consent_gone() -> SignInOver:
    return over(SignInState.FAILED, Failure.CONSENT_GONE, field="id")


def _proven(rounds: Sequence[Round], proof: Secret) -> Round | None:
    """The round that this is the proof of; all are compared, each in constant time."""
    shown = hashed(proof.reveal())
    found = [each for each in rounds if each.proof_hash and hmac.compare_digest(each.proof_hash, shown)]
    return found[0] if found else None


def _refusal(state: SignInState, failure: Failure | None) -> TielineError:
    """What to say to somebody without the proof of any round."""
    if state in _OVER:
        return over(state, failure, field="id")
    return SignInNotReady(field="id") if state is SignInState.STARTED else ProofInvalid()


async def _app_of(sign_in: SignIn) -> tuple[App, Provider]:
    app = await AppRepository.of(sign_in.practice_id).get(sign_in.app_id)
    provider = host().registry.get(sign_in.provider)
    if app is None or provider is None:
        raise NotFound("provider", sign_in.provider)
    return app, provider
