"""What nobody could check while a person waited: asked again by a job, at growing pauses, for longer than a month.

So long may a month's calls be spent. Tokens that are still unchecked then are dropped, and not revoked.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from tieline import clock
from tieline.credentials.putting_off import pause_after
from tieline.database import scope
from tieline.errors import Busy, NotFound, ProviderError
from tieline.ids import PracticeId, SignInId
from tieline.log import fields_of, get_logger
from tieline.sign_ins.checks.service import check_tokens, give_up
from tieline.sign_ins.rounds.repository import Round, RoundRepository
from tieline.sign_ins.states import CHECK_PAUSE
from tieline.vault import SealBroken

_AT_MOST = timedelta(days=35)
_LONGEST_PAUSE = timedelta(hours=1)
_TROUBLES = 2
"""So many checks may fail in one go: each may take most of a minute, and what keeps two from it keeps the others."""

_log = get_logger(__name__)


async def check_left(practice_id: PracticeId, sign_in_id: SignInId) -> datetime | None:
    """Check what of the sign-in is unchecked, in no order, so that each comes first at times; when to try again."""
    async with scope(practice_id):
        rounds = await RoundRepository.of(practice_id).of_sign_in(sign_in_id)
    left, again = [each for each in rounds if each.unchecked], list[datetime]()
    random.shuffle(left)
    for each in left:
        later = await _check(practice_id, each)
        if later is not None:
            again.append(later)
        if len(again) == _TROUBLES:
            break
    return min(again, default=None)


async def _check(practice_id: PracticeId, left: Round) -> datetime | None:
    now = clock.now()
    so_far = now - (left.consented_at or now)
    try:
        await check_tokens(practice_id, left.id)
    except Busy:
        return now + CHECK_PAUSE
    except SealBroken:
        _log.warning("sign_in.seal_broken", round_id=str(left.id))
        await give_up(practice_id, left)
    except (ProviderError, NotFound) as error:
        _log.warning("sign_in.unchecked", round_id=str(left.id), **fields_of(error))
        if so_far < _AT_MOST:
            asked = pause_after(error, so_far, at=now)
            return now + max(asked, min(so_far, _LONGEST_PAUSE), CHECK_PAUSE)
        _log.error("sign_in.check_given_up", round_id=str(left.id), **fields_of(error))
        await give_up(practice_id, left)
    return None
