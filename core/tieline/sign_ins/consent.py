"""The browser comes back: the code is exchanged once, whoever asks and however often, and all get the same answer.

state unknown, or of another app's path   a sentence, and no redirect: we do not know where to
round over, or used by another code       told so; the sign-in stays as it is
error                                     REFUSED
code ── claimed ── exchanged ──┬── GRANTED    the tokens kept, a proof for the person who began
                               └── REFUSED    a code is good for one try
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from tieline import clock
from tieline.database import scope
from tieline.errors import ProviderError, ProviderMisconfigured, ProviderUnavailable
from tieline.ids import AppId
from tieline.log import fields_of, get_logger
from tieline.sign_ins.exchange import ask, claim, keep, refuse
from tieline.sign_ins.returns import NOWHERE, ConsentAnswer, Return, find_return
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.states import Failure, Outcome
from tieline.sign_ins.trips import hashed

_WAIT_SECONDS = 30.0
_DENIED = "access_denied"

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
    if code is None or "error" in parameters:
        denied = parameters.get("error") == _DENIED
        return await _refused(back, Failure.CONSENT_DENIED if denied else Failure.CONSENT_FAILED)
    if not await claim(back, code):
        return await _answer_again(back, code)
    return await _exchanged(back, code, parameters)


async def _answer_again(back: Return, code: str | None) -> ConsentAnswer:
    """What this round came to; while its code is being exchanged, wait for it."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _WAIT_SECONDS
    while True:
        async with scope(back.practice_id):
            now = await RoundRepository.of(back.practice_id).get(back.round.id)
        if now is None or (now.code_hash is not None and (code is None or hashed(code) != now.code_hash)):
            return back.failed(Failure.ROUND_OVER)
        if now.outcome is Outcome.GRANTED:
            return back.granted()
        if now.outcome is Outcome.REFUSED:
            return back.failed(now.failure or Failure.CONSENT_FAILED)
        if now.code_hash is None:
            return back.failed(Failure.ROUND_OVER)
        if not now.claimed:
            return await _refused(back, Failure.INTERRUPTED)
        if loop.time() >= give_up_at:
            return back.failed(Failure.PROVIDER_UNAVAILABLE)
        await asyncio.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - jitter


async def _exchanged(back: Return, code: str, parameters: Mapping[str, str]) -> ConsentAnswer:
    try:
        pair, subject = await ask(back, code, parameters)
    except ProviderError as error:
        _log.warning("sign_in.exchange_failed", sign_in_id=str(back.sign_in.id), **fields_of(error))
        match error:
            case ProviderMisconfigured():
                return await _refused(back, Failure.PROVIDER_MISCONFIGURED, app_fault=error.code)
            case ProviderUnavailable():
                return await _refused(back, Failure.PROVIDER_UNAVAILABLE)
        return await _refused(back, Failure.CONSENT_FAILED)
    if await keep(back, code, pair, subject):
        return back.granted()
    return await _answer_again(back, code)


async def _refused(back: Return, failure: Failure, *, app_fault: str | None = None) -> ConsentAnswer:
    await refuse(back, failure, app_fault=app_fault)
    return back.failed(failure)
