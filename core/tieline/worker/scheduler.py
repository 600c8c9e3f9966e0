"""The scheduler: looks for jobs that are due and unclaimed, and rings for them. Any number may run.

A queue holds a bounded number of unread messages. In that of the background they name no job: it is filled up to as
many calls as jobs are due. Rings name theirs: while the queue holds some, a job that was rung for is given time to be
heard; once it is empty, whatever is still due was lost on the way and is rung for again soon.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from tieline import clock
from tieline.database import system_scope
from tieline.errors import TryAgain
from tieline.log import fields_of, get_logger
from tieline.work import repository
from tieline.work.actor import BACKGROUND, INTERACTIVE
from tieline.work.doorbell import MAX_CALLS, Doorbell

MAX_UNREAD = 500
_LOST_AFTER = timedelta(seconds=2)
_UNHEARD_AFTER = timedelta(seconds=30)
SAY_AGAIN = timedelta(minutes=5)
_FAILED = (TryAgain, asyncpg.InternalServerError)
"""The database is away, or broken inside. What it says of a statement that is wrong is a bug of ours."""

log = get_logger(__name__)


async def ring_for_due(doorbell: Doorbell) -> int:
    """Ring or call once for every due job that its queue has room for; how many that were."""
    return await _ring(doorbell) + await _call(doorbell)


async def _ring(doorbell: Doorbell) -> int:
    unread = await doorbell.unread(INTERACTIVE)
    if unread is None or unread >= MAX_UNREAD:
        return 0
    async with system_scope():
        due = await repository.take_due(
            at=clock.now(),
            rung_before=_UNHEARD_AFTER if unread else _LOST_AFTER,
            limit=MAX_UNREAD - unread,
        )
    if await doorbell.ring(due):
        return len(due)
    async with system_scope():
        await repository.forget_rings(due)
    return 0


async def _call(doorbell: Doorbell) -> int:
    unread = await doorbell.unread(BACKGROUND)
    if unread is None or unread >= MAX_CALLS:
        return 0
    async with system_scope():
        due = await repository.waiting(at=clock.now(), limit=MAX_CALLS)
    wanted = max(due - unread, 0)
    return wanted if await doorbell.call(wanted) else 0


async def run_scheduler(doorbell: Doorbell, *, interval: float, stop: asyncio.Event) -> None:
    """Look every `interval` seconds until told to stop; a database or Redis that fails is waited for."""
    told = _Told()
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        look = asyncio.create_task(ring_for_due(doorbell))
        await asyncio.wait((look, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not look.done():
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
            break
        told.looked(look.exception())
        await asyncio.wait((stopping,), timeout=interval)
    stopping.cancel()


class _Told:
    """What is told of a database that fails: each kind of failure once, and again after some minutes."""

    def __init__(self) -> None:
        self._kinds: set[type[BaseException]] = set()
        self._again_at = 0.0

    def looked(self, error: BaseException | None) -> None:
        """Log what is news. Raises what is no failure of the database."""
        if error is None:
            if self._kinds:
                log.info("scheduler.back")
            self._kinds.clear()
            return
        if not isinstance(error, _FAILED):
            raise error
        now = asyncio.get_running_loop().time()
        if not self._kinds or now >= self._again_at:
            self._kinds.clear()
            self._again_at = now + SAY_AGAIN.total_seconds()
        if type(error) not in self._kinds:
            self._kinds.add(type(error))
            log.warning("scheduler.away", **fields_of(error), cause=type(error.__cause__ or error).__name__)
