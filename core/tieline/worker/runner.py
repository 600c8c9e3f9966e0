"""Running one job: claim it, keep its lease alive, run its actor, write the outcome back under the fence."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from tieline import clock, log, metrics
from tieline.database import system_scope
from tieline.errors import Busy, ClaimLost, DatabaseFailed, TielineError, TryAgain
from tieline.ids import JobId, new_id
from tieline.work import Actor, Again, doorbell, repository
from tieline.work.repository import LEASE, Claim
from tieline.work.unit import working_on
from tieline.worker.outcomes import Outcomes, named

HEARTBEAT = timedelta(seconds=5)
MAX_ATTEMPTS = 12
STAY = timedelta(milliseconds=250)
CANCEL_AGAIN = timedelta(seconds=1)
GRACE = timedelta(seconds=30)
LEAVE = timedelta(seconds=5)

logger = log.get_logger(__name__)
_left: set[asyncio.Future[Any]] = set()


class Runner:
    """Runs jobs for one worker process; `owner` tells its claims from another's."""

    def __init__(self, actors: Mapping[str, Actor]) -> None:
        self._actors = actors
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        self._tasks: set[asyncio.Task[Any]] = set()
        self._outcomes = Outcomes()

    @property
    def running(self) -> int:
        return len(self._tasks)

    async def hand_back(self) -> None:
        """Stop what is still under way; its jobs are due again at once, for another worker."""
        self._outcomes.leaving = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def run(self, job_id: JobId) -> None:
        """Run the job if it is due and free; else there is nothing to do, and that is fine."""
        claim = None
        with _lapsing("job.not_claimed", job_id=str(job_id)):
            async with system_scope():
                claim = await repository.claim(job_id, owner=self.owner, at=clock.now())
        if claim is not None:
            await self._run(claim)

    async def run_next(self, *, urged: Callable[[], bool] = lambda: False) -> None:
        """Run jobs of the background for a moment, each time that whose turn it is; `urged` says when to leave off.

        Where there was one there may be more, so that the call is passed on.
        """
        over_at = asyncio.get_running_loop().time() + STAY.total_seconds()
        claim = await self._claim_next()
        if claim is not None:
            await doorbell.pass_on()
        while claim is not None:
            await self._run(claim)
            over = urged() or asyncio.get_running_loop().time() >= over_at
            claim = None if over else await self._claim_next()

    async def _claim_next(self) -> Claim | None:
        claim = None
        with _lapsing("job.not_claimed"):
            try:
                async with system_scope():
                    claim = await repository.claim_next(owner=self.owner, at=clock.now())
            except Busy:  # whoever claims for the practice whose turn it is does not come to an end
                async with system_scope():
                    claim = await repository.claim_any(owner=self.owner, at=clock.now())
        return claim

    async def _run(self, claim: Claim) -> None:
        log.correlate(claim.correlation_id)
        actor = claim.actor if claim.actor in self._actors else "unknown"
        task = asyncio.create_task(self._work(claim))
        self._tasks.add(task)
        try:
            with metrics.job_seconds.labels(actor).time():
                outcome = await task
        finally:
            self._tasks.discard(task)
        metrics.jobs.labels(actor, outcome).inc()

    async def _work(self, claim: Claim) -> str:
        """Run it to its end, and write its outcome down; the word for it is what jobs are counted by."""
        try:
            again = await _while_held(claim, self._act(claim), until=self._limit(claim) + GRACE)
        except ClaimLost:
            logger.warning("job.claim_lost", job_id=str(claim.job_id), actor=claim.actor)
            return "claim_lost"
        except asyncio.CancelledError:
            if not _is_being_cancelled():
                return await self._failed(claim, ActorCancelled(claim.actor))
            await self._outcomes.handed_back(claim)
            if not self._outcomes.leaving:
                raise
            return "handed_back"
        except TryAgain as error:
            return await self._put_off(claim, error)
        except Exception as error:  # noqa: BLE001 - whatever an actor raises becomes the job's outcome
            return await self._failed(claim, error)
        await self._outcomes.done(claim, again)
        return "done"

    async def _act(self, claim: Claim) -> Again | None:
        actor = self._actors.get(claim.actor)
        if actor is None:
            raise UnknownActor(claim.actor)
        if claim.attempts > MAX_ATTEMPTS and not actor.recurs:
            raise WorkersDied(claim.attempts - 1)
        async with asyncio.timeout(actor.limit.total_seconds()):
            with working_on(claim):
                try:
                    return await actor.function(**claim.arguments)
                except (SystemExit, KeyboardInterrupt) as error:  # in a task, they would end the loop
                    raise ActorQuit(claim.actor) from error

    def _limit(self, claim: Claim) -> timedelta:
        actor = self._actors.get(claim.actor)
        return timedelta() if actor is None else actor.limit

    async def _put_off(self, claim: Claim, error: TryAgain) -> str:
        if isinstance(error, DatabaseFailed):
            return await self._failed(claim, error)
        await self._outcomes.put_off(claim, error)
        return "put_off"

    async def _failed(self, claim: Claim, error: Exception) -> str:
        actor = self._actors.get(claim.actor)
        over = claim.attempts >= MAX_ATTEMPTS and not (actor is not None and actor.recurs)
        logger.error(
            "job.given_up" if over else "job.failed",
            **named(claim),
            exc_info=not isinstance(error, TielineError),
            **log.fields_of(error),
        )
        await self._outcomes.failed(claim, error, over=over)
        return "given_up" if over else "failed"


class UnknownActor(TielineError):
    code = "UNKNOWN_ACTOR"

    def __init__(self, name: str) -> None:
        super().__init__(f"This version of Tieline has no actor {name}; it was queued by another version.")


class WorkersDied(TielineError):
    code = "WORKERS_DIED"

    def __init__(self, times: int) -> None:
        super().__init__(f"The worker died or lost its lease {times} times while it ran this job.")


class ActorCancelled(TielineError):
    code = "ACTOR_CANCELLED"

    def __init__(self, name: str) -> None:
        super().__init__(f"The actor {name} cancelled itself.")


class ActorQuit(TielineError):
    code = "ACTOR_QUIT"

    def __init__(self, name: str) -> None:
        super().__init__(f"The actor {name} asked for the end of its process.")


@contextmanager
def _lapsing(event: str, **fields: str) -> Iterator[None]:
    """Let a claim or an outcome go when the database is away: rings and leases lapse, and the job comes back."""
    try:
        yield
    except TryAgain as error:
        logger.warning(event, **fields, **log.fields_of(error))


def _is_being_cancelled() -> bool:
    """Whether somebody cancelled this very task, rather than that its actor let a cancellation out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _while_held(
    claim: Claim, body: Coroutine[Any, Any, Again | None], *, until: timedelta
) -> Again | None:
    """Run the body and renew the lease every few seconds; when the job is no longer ours, stop the body.

    One that cannot be stopped is not ours for longer than `until`.
    """
    working = asyncio.create_task(body)
    renewing = asyncio.create_task(_renew(claim, until=until))
    try:
        await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClaimLost(claim.job_id)
    finally:
        await _stop(claim, working, renewing)


async def _stop(claim: Claim, *tasks: asyncio.Task[Any]) -> None:
    """Cancel until all have ended, each second again: a cancellation may get lost in what an actor calls.

    What swallows them all is left to itself.
    """
    left_at = asyncio.get_running_loop().time() + LEAVE.total_seconds()
    ended = asyncio.gather(*tasks, return_exceptions=True)
    while not ended.done() and asyncio.get_running_loop().time() < left_at:
        for task in tasks:
            task.cancel()
        await asyncio.wait((ended,), timeout=CANCEL_AGAIN.total_seconds())
    if not ended.done():
        _left.add(ended)
        ended.add_done_callback(_left.discard)
        logger.error("job.left", **named(claim))


async def _renew(claim: Claim, *, until: timedelta) -> None:
    """Returns when the job is no longer ours, or when nobody could be asked for as long as the lease ran."""
    over_at = asyncio.get_running_loop().time() + until.total_seconds()
    held_until = asyncio.get_running_loop().time() + LEASE.total_seconds()
    while asyncio.get_running_loop().time() < over_at:
        await asyncio.sleep(HEARTBEAT.total_seconds())
        asked_at = asyncio.get_running_loop().time()
        with suppress(TryAgain):
            async with system_scope():
                if not await repository.renew(claim):
                    return
            held_until = asked_at + LEASE.total_seconds()
        if asyncio.get_running_loop().time() >= held_until:
            return
