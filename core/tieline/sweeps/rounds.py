"""One round of a sweep: a batch of each practice, one practice's trouble not the others'; again while there is more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

from tieline import clock
from tieline.database import system_scope
from tieline.errors import ClaimLost, TryAgain
from tieline.ids import PracticeId
from tieline.log import fields_of, get_logger
from tieline.work import Again, system_work

BATCH = 200
"""What is taken of one practice in one round, and in one transaction."""
_ROWS = 5_000
_HOURLY = timedelta(hours=1)
_DAILY = timedelta(days=1)

log = get_logger(__name__)


class Sweep(Protocol):
    """Do at most so much for one practice; how much that was."""

    def __call__(self, practice_id: PracticeId, /, *, most: int) -> Awaitable[int]: ...


async def hourly(find: Callable[[], Awaitable[Sequence[PracticeId]]], sweep: Sweep) -> Again:
    """Sweep each practice that is found; again at once where one may have more, else in an hour."""
    async with system_scope():
        practices = await find()
    more = False
    for practice_id in practices:
        try:
            more = await sweep(practice_id, most=BATCH) == BATCH or more
        except ClaimLost:
            raise
        except TryAgain as error:
            log.warning("sweep.not_done", practice_id=str(practice_id), **fields_of(error))
        except Exception as error:
            log.exception("sweep.not_done", practice_id=str(practice_id), **fields_of(error))
    return Again(clock.now() + (timedelta(0) if more else _HOURLY))


async def prune(forget: Callable[..., Awaitable[int]], *, keep_days: int) -> Again:
    """Forget a batch of what is older than that; again at once while there is more, else in a day."""
    async with system_work() as work:
        gone = await forget(before=work.now - timedelta(days=keep_days), limit=_ROWS)
    return Again(clock.now() + (timedelta(0) if gone == _ROWS else _DAILY))
