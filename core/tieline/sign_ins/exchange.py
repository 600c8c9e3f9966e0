"""What a round's code is exchanged for, and how that is written down: once, whatever comes in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tieline import clock
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of
from tieline.credentials.giving_back.repository import GivingBackRepository
from tieline.credentials.pairs import Pair
from tieline.errors import ProviderBroken, ProviderError
from tieline.host import host
from tieline.log import get_logger, trace_of
from tieline.plugins import Grant, Provider, Subject, TokenSet, ask_userinfo, code_request, read_tokens, send
from tieline.plugins.edge import RAISED
from tieline.principal import Principal
from tieline.sign_ins.falling_back import fall_back
from tieline.sign_ins.keeping import Held, hold_tokens, sealed_for
from tieline.sign_ins.repository import SignInRepository
from tieline.sign_ins.returns import Return
from tieline.sign_ins.rounds.repository import CLAIM, Granted, RoundRepository
from tieline.sign_ins.states import PROOF_LIFE, Failure, SignInState
from tieline.sign_ins.trips import forget_later, hashed
from tieline.sign_ins.wanted import is_another
from tieline.vault import Secret
from tieline.work import Work, retrying, unit_of_work

_TURN_SECONDS = 5.0
_EXCHANGE_SECONDS = 20.0
_USERINFO_SECONDS = 5.0
_SUBJECT_LENGTH = 200
_LOGIN_LENGTH = 254

_log = get_logger(__name__)


async def claim(back: Return, code: str) -> float | None:
    """Until when, by the loop's time, the code is ours to exchange; None when that is on somebody else, or too late.

    An app's codes go one after another, unless one takes long: a consent may end the pair of the one before, and
    of two that are under way at once nobody can tell which came later. What is being given back comes first, too.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _TURN_SECONDS
    while True:
        until = loop.time() + CLAIM.total_seconds()
        is_ours = await _claim(back, code, in_turn=loop.time() < give_up_at)
        if is_ours is not None:
            return until if is_ours else None
        await asyncio.sleep(random.uniform(0.02, 0.06))  # noqa: S311 - jitter


@retrying
async def _claim(back: Return, code: str, *, in_turn: bool) -> bool | None:
    """None while another code of this app is under way, or something is given back there."""
    rounds = RoundRepository.of(back.practice_id)
    async with unit_of_work(Principal.machine(back.practice_id)) as work:
        await rounds.hold_subjects(back.app.id)
        if in_turn and await _is_occupied(back, at=work.now):
            return None
        return await rounds.claim(back.round.id, hashed(code), at=work.now)


async def _is_occupied(back: Return, *, at: datetime) -> bool:
    if await RoundRepository.of(back.practice_id).exchanged_until(back.app.id, at=at) is not None:
        return True
    return await GivingBackRepository.of(back.practice_id).is_under_way(back.app.id)


async def ask(back: Return, code: str, parameters: Mapping[str, str]) -> tuple[Pair, Subject]:
    """Exchange the code for tokens. Raises ProviderError."""
    app, provider = back.app, back.provider
    request = code_request(
        provider.oauth,
        endpoints_of(app),
        client_id=app.client_id,
        client_secret=back.secret,
        code=Secret(code),
        redirect_uri=host().callback_url(app.provider, app.id),
        verifier=back.verifier,
    )
    answer = await send(host().client, request, provider=app.provider, seconds=_EXCHANGE_SECONDS)
    asked = provider.oauth.scopes_for(back.sign_in.products)
    field = provider.oauth.hard_expiry_field
    tokens = read_tokens(app.provider, *answer, asked_scopes=asked, hard_expiry_field=field)
    if tokens.refresh is None:
        raise ProviderBroken(app.provider, "it granted no refresh token")
    pair = Pair.of(tokens, at=clock.now())
    return pair, _subject(provider, await _grant(app, tokens, parameters))


async def _grant(app: App, tokens: TokenSet, parameters: Mapping[str, str]) -> Grant:
    rest = {name: value for name, value in parameters.items() if name not in {"code", "state"}}
    claims = await ask_userinfo(
        host().client,
        endpoints_of(app),
        tokens.access,
        provider=app.provider,
        seconds=_USERINFO_SECONDS,
    )
    return Grant(tokens=tokens, parameters=rest, claims=claims)


def _subject(provider: Provider, grant: Grant) -> Subject:
    """Raises ProviderBroken, whatever the plugin raises: a code is spent, and somebody waits for an answer."""
    slug = provider.info.slug
    try:
        subject: Any = provider.subject(grant)
        is_named = isinstance(subject.login, str | None)
        too_long = max(len(subject.id), len(subject.consent or "")) > _SUBJECT_LENGTH
    except ProviderError:
        raise
    except RAISED as fault:
        _log.error("plugin.failed", provider=slug, exception=trace_of(fault))
        raise ProviderBroken(slug, "its plugin could not tell who consented") from fault
    if not isinstance(subject, Subject) or not is_named:
        raise ProviderBroken(slug, "its plugin gave something that is no subject")
    if too_long:
        raise ProviderBroken(slug, "what it names the subject is too long")
    return subject


@retrying
async def keep(back: Return, code: str, pair: Pair, subject: Subject) -> bool:
    """Write down what the code brought; False when the round ended without a consent: then it is given back later."""
    rounds, sign_ins = RoundRepository.of(back.practice_id), SignInRepository.of(back.practice_id)
    async with unit_of_work(Principal.machine(back.practice_id)) as work:
        await sign_ins.lock(back.sign_in.id)
        await rounds.hold_subjects(back.app.id)
        if await is_another(back.app, back.provider, back.connection_id, subject):
            await _end_refused(work, back, Failure.DIFFERENT_ORGANISATION)
        granted = await _granted(work, back, pair, subject)
        kept = await rounds.grant(back.round.id, hashed(code), granted, at=work.now)
        if not kept and granted.tokens_sealed is not None:
            await rounds.strand(back.round.id, granted, at=work.now)
        sign_in = await sign_ins.read(back.sign_in.id)
        if kept and sign_in is not None and sign_in.state is not SignInState.EXPIRED:
            await sign_ins.set_state(sign_in.id, SignInState.CONSENTED, at=work.now)
        await AppRepository.of(back.practice_id).set_fault(back.app.id, None)
        forget_later(work, back.practice_id, back.sign_in.id, soon=granted.unchecked)
        work.hint("sign_in", back.sign_in.id)
    return kept


async def _granted(work: Work, back: Return, pair: Pair, subject: Subject) -> Granted:
    """Where only the browser says which organisation it was, the tokens wait in the round until they were checked."""
    is_checked, person_id = back.provider.info.bulk_consent, back.sign_in.person_id
    held = Held(credential_id=None, sealed=sealed_for(back.app, back.round.id, pair))
    if is_checked:
        held = await hold_tokens(
            work, back.app, back.round.id, pair, subject, person_id=person_id, only_live=False
        )
    return Granted(
        subject=subject.id,
        login=subject.login[:_LOGIN_LENGTH] if subject.login else None,
        consent_mark=subject.consent,
        tokens_sealed=held.sealed,
        unchecked=not is_checked,
        credential_id=held.credential_id,
        proof_hash=hashed(back.proof.reveal()),
        proof_until=work.now + PROOF_LIFE,
    )


@retrying
async def refuse(back: Return, failure: Failure, *, app_fault: str | None = None) -> None:
    """End the round without a consent; what the sign-in has already, it keeps."""
    async with unit_of_work(Principal.machine(back.practice_id)) as work:
        await SignInRepository.of(back.practice_id).lock(back.sign_in.id)
        await _end_refused(work, back, failure)
        if app_fault is not None:
            await AppRepository.of(back.practice_id).set_fault(back.app.id, app_fault)
        work.hint("sign_in", back.sign_in.id)


async def _end_refused(work: Work, back: Return, failure: Failure) -> None:
    ended = await RoundRepository.of(back.practice_id).refuse(back.round.id, failure)
    sign_in = await SignInRepository.of(back.practice_id).read(back.sign_in.id)
    if ended and sign_in is not None and sign_in.state is SignInState.STARTED:
        await fall_back(work, sign_in, failure)
