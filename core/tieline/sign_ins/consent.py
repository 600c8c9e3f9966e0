"""The browser comes back: the code is exchanged once, whoever asks and however often, and all get the same answer.

state unknown, or of another app's path   a sentence, and no redirect: we do not know where to
round over, or used by another code       told so; the sign-in stays as it is
error, or sent by another issuer          REFUSED, and the code is not spent
code ── claimed ── exchanged ──┬── GRANTED    the tokens kept and checked, a proof for the person who began
                               └── REFUSED    a code is good for one try
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping

from tieline import clock
from tieline.credentials.apps.service import endpoints_of
from tieline.credentials.pairs import Pair
from tieline.database import scope
from tieline.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaSpent,
    Throttled,
    TryAgain,
)
from tieline.ids import AppId
from tieline.log import fields_of, get_logger
from tieline.plugins import Subject
from tieline.sign_ins.checks.service import check_tokens
from tieline.sign_ins.exchange import ask, claim, keep, refuse
from tieline.sign_ins.returns import NOWHERE, ConsentAnswer, Return, find_return
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.states import Failure, Outcome
from tieline.sign_ins.trips import hashed

_WAIT_SECONDS = 30.0
_STORE_PAUSE = 0.5
_FAILURES = {  # RFC 6749, 4.1.2.1
    "access_denied": Failure.CONSENT_DENIED,
    "invalid_scope": Failure.PROVIDER_MISCONFIGURED,
    "invalid_request": Failure.PROVIDER_MISCONFIGURED,
    "unauthorized_client": Failure.PROVIDER_MISCONFIGURED,
    "unsupported_response_type": Failure.PROVIDER_MISCONFIGURED,
    "server_error": Failure.PROVIDER_UNAVAILABLE,
    "temporarily_unavailable": Failure.PROVIDER_UNAVAILABLE,
}
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_log = get_logger(__name__)


async def answer_consent(provider: str, app_id: AppId, parameters: Mapping[str, str]) -> ConsentAnswer:
    """What comes of a callback on this app's path; the same request again has the same answer."""
    back = await find_return(provider, app_id, parameters.get("state", ""))
    if back is None:
        return NOWHERE
    code = parameters.get("code")
    if back.round.code_hash is not None or back.round.outcome is not None:
        return await _answer_again(back, code)
    if not back.round.is_open(clock.now()):
        return back.failed(Failure.ROUND_OVER)
    if not code or "error" in parameters or not _is_issuer(back, parameters.get("iss")):
        return await _refused(back, _failure(back, parameters))
    until = await claim(back, code)
    if until is None:
        return await _answer_again(back, code)
    return await _exchanged(back, code, parameters, until=until)


def _failure(back: Return, parameters: Mapping[str, str]) -> Failure:
    """Why what came back is no consent."""
    if not _is_issuer(back, parameters.get("iss")):
        _log.warning("sign_in.other_issuer", sign_in_id=str(back.sign_in.id), provider=back.app.provider)
        return Failure.CONSENT_FAILED
    error = parameters.get("error", "")
    said = error if _WORD.fullmatch(error) else None
    _log.info(
        "sign_in.refused", sign_in_id=str(back.sign_in.id), provider=back.app.provider, provider_error=said
    )
    return _FAILURES.get(error, Failure.CONSENT_FAILED)


def _is_issuer(back: Return, named: str | None) -> bool:
    """Whether the answer comes from where the browser was sent to (RFC 9207); not everybody names itself."""
    issuer = endpoints_of(back.app).issuer
    return named is None or issuer is None or named == issuer


async def _answer_again(back: Return, code: str | None) -> ConsentAnswer:
    """What this round came to; while its code is being exchanged, wait for it."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _WAIT_SECONDS
    while True:
        async with scope(back.practice_id):
            now = await RoundRepository.of(back.practice_id).get(back.round.id)
        if now is None or (now.code_hash is not None and (code is None or hashed(code) != now.code_hash)):
            return back.failed(Failure.ROUND_OVER)
        if now.outcome is Outcome.GRANTED and (not now.checking or loop.time() >= give_up_at):
            return back.granted()
        if now.outcome is Outcome.REFUSED:
            return back.failed(now.failure or Failure.CONSENT_FAILED)
        if now.code_hash is None:
            return back.failed(Failure.ROUND_OVER)
        if not (now.claimed or now.checking):
            return await _refused(back, Failure.INTERRUPTED)
        if loop.time() >= give_up_at:
            return back.failed(Failure.PROVIDER_UNAVAILABLE)
        await asyncio.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - jitter


async def _exchanged(
    back: Return, code: str, parameters: Mapping[str, str], *, until: float
) -> ConsentAnswer:
    try:
        pair, subject = await ask(back, code, parameters)
    except ProviderError as error:
        _log.warning("sign_in.exchange_failed", sign_in_id=str(back.sign_in.id), **fields_of(error))
        match error:
            case ProviderMisconfigured():
                return await _refused(back, Failure.PROVIDER_MISCONFIGURED, app_fault=error.code)
            case ProviderUnavailable() | QuotaSpent() | Throttled():
                return await _refused(back, Failure.PROVIDER_UNAVAILABLE)
        return await _refused(back, Failure.CONSENT_FAILED)
    try:
        kept = await _keep(back, code, pair, subject, until=until)
    except TryAgain as error:
        _log.error("sign_in.consent_lost", sign_in_id=str(back.sign_in.id), **fields_of(error))
        return back.failed(Failure.INTERRUPTED)
    if kept and back.provider.info.bulk_consent:
        return back.granted()
    await _check(back)
    return await _answer_again(back, code)


async def _keep(back: Return, code: str, pair: Pair, subject: Subject, *, until: float) -> bool:
    """The code is spent, so nobody can bring this again: try on, until the claim is over."""
    while True:
        try:
            return await keep(back, code, pair, subject)
        except TryAgain:
            if asyncio.get_running_loop().time() + _STORE_PAUSE >= until:
                raise
        await asyncio.sleep(_STORE_PAUSE)


async def _check(back: Return) -> None:
    """See what the tokens open; where nobody can say, they wait for whoever completes the sign-in, or for the job."""
    try:
        await check_tokens(back.practice_id, back.round.id, is_ours=True)
    except (ProviderError, TryAgain) as error:
        _log.warning("sign_in.unchecked", sign_in_id=str(back.sign_in.id), **fields_of(error))


async def _refused(back: Return, failure: Failure, *, app_fault: str | None = None) -> ConsentAnswer:
    await refuse(back, failure, app_fault=app_fault)
    return back.failed(failure)
