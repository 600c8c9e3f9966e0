"""What became of a job, written down under its fence: the database may be away just then, which ended many of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from tieline import clock, log
from tieline.database import system_scope
from tieline.errors import TielineError, TryAgain, Unavailable
from tieline.work import Again, doorbell, repository
from tieline.work.repository import LEASE, Claim, Ring

Written = TypeVar("Written")

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
_LOOK_AGAIN = timedelta(milliseconds=500)
_LEAVE = timedelta(seconds=2)
_LET_GO = timedelta(milliseconds=500)

logger = log.get_logger(__name__)


class Outcomes:
    """Those of one process. While the database is away each is tried again for as long as a lease runs.

    After that, or once the process is `leaving`, the lease lapses, and the job comes back as from a worker that died.
    """

    def __init__(self) -> None:
        self.leaving = False

    async def done(self, claim: Claim, again: Again | None) -> None:
        """Over, or due again as it asked for: then it goes on in the lane that its row has by now."""

        async def write() -> Ring | None:
            if again is None:
                return await repository.finish(claim)
            return await repository.put_off(claim, due_at=again.at, attempts=0)

        ring = await self._written(claim, write, "job.done")
        if ring is not None and ring.due_at <= clock.now():
            await doorbell.ring([ring])

    async def put_off(self, claim: Claim, error: TryAgain) -> None:
        """What passes by itself does not count as an attempt."""
        logger.warning("job.put_off", **named(claim), **log.fields_of(error))

        async def write() -> None:
            due_at = clock.now() + pause_after(claim.attempts)
            await repository.put_off(claim, due_at=due_at, attempts=claim.attempts - 1, error=str(error))

        await self._written(claim, write)

    async def failed(self, claim: Claim, error: Exception, *, over: bool) -> None:
        """`over`: it is not tried again."""
        kind = type(error).__name__
        reason = f"{kind}: {error}" if isinstance(error, TielineError) else kind

        async def write() -> None:
            if over:
                await repository.give_up(claim, at=clock.now(), error=reason)
            else:
                due_at = clock.now() + pause_after(claim.attempts)
                await repository.put_off(claim, due_at=due_at, attempts=claim.attempts, error=reason)

        await self._written(claim, write)

    async def handed_back(self, claim: Claim) -> None:
        """Due again at once, for another worker."""

        async def write() -> None:
            await repository.put_off(claim, due_at=clock.now(), attempts=claim.attempts - 1)

        await self._written(claim, write, "job.handed_back")

    async def _written(
        self, claim: Claim, write: Callable[[], Awaitable[Written]], event: str | None = None
    ) -> Written | None:
        """What it answers; None where the outcome is lost. The event is said of what has been committed."""
        left_at = asyncio.get_running_loop().time() + LEASE.total_seconds()
        while True:
            try:
                written = await self._attempted(write)
            except TryAgain as error:
                if self.leaving or asyncio.get_running_loop().time() >= left_at:
                    logger.warning("job.outcome_lost", **named(claim), **log.fields_of(error))
                    return None
            else:
                if event is not None:
                    logger.info(event, **named(claim))
                return written
            try:
                await asyncio.sleep(_LOOK_AGAIN.total_seconds())
            except asyncio.CancelledError:
                if not self.leaving:
                    raise

    async def _attempted(self, write: Callable[[], Awaitable[Written]]) -> Written:
        """Written in a transaction of its own, which may end in a moment when the process begins to leave amid it."""
        attempt = asyncio.create_task(_in_scope(write))
        try:
            return await asyncio.shield(attempt)
        except asyncio.CancelledError:
            if self.leaving:
                await asyncio.wait((attempt,), timeout=_LEAVE.total_seconds())
            attempt.cancel()
            await asyncio.wait((attempt,), timeout=_LET_GO.total_seconds())
            is_known = attempt.done() and not attempt.cancelled()
            lost = attempt.exception() if is_known else Unavailable()
            if not self.leaving:
                raise
            if lost is not None:
                raise lost from None
            return attempt.result()
        finally:
            attempt.cancel()


async def _in_scope(write: Callable[[], Awaitable[Written]]) -> Written:
    async with system_scope():
        return await write()


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubling, jittered, an hour at most."""
    doubled: timedelta = min(_FIRST_PAUSE * 2.0 ** min(attempts - 1, 20), _LONGEST_PAUSE)
    return doubled * random.uniform(0.75, 1.25)  # noqa: S311 - jitter


def named(claim: Claim) -> dict[str, Any]:
    return {"job_id": str(claim.job_id), "actor": claim.actor, "attempts": claim.attempts}
