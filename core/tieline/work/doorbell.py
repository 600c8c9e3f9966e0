"""The doorbell: a Redis message that a job is due. Losing one costs time, never work.

A *ring* names the job: for those that a person waits for. A *call* says only that something of its queue is due, and
the worker that hears it takes the job whose turn it is at that moment. So no order is laid down in Redis.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message

from tieline.errors import StartRefused
from tieline.log import fields_of, get_logger
from tieline.processes import COMMAND
from tieline.settings import Settings
from tieline.work.actor import BACKGROUND, INTERACTIVE, QUEUES
from tieline.work.repository import Ring

RING, CALL = "run_job", "run_next"
MAX_CALLS = 32
"""Calls that nobody has heard yet: enough, since each that finds a job is passed on."""
MAX_AGE_MS = 60_000  # an unread ring is rung again by the scheduler anyway
AWAY = "away: jobs wait until Redis is back"
_ANSWER_SECONDS = 1.0
_TRIED_SECONDS = 5
_QUIET_SECONDS = 5.0
_SECONDS_A_RING = 0.02  # the broker sends one after the other
_FAULTS = (redis.RedisError, dramatiq.errors.BrokerError, OSError)
"""What the client and the broker raise when Redis is away, refuses or does not answer in time."""

log = get_logger(__name__)


class Broker(RedisBroker):
    """Who closes it lets go of its connections, but of those that are in use."""

    def close(self) -> None:
        super().close()
        self.client.connection_pool.disconnect(inuse_connections=False)


def make_broker(
    settings: Settings,
    middleware: Sequence[dramatiq.Middleware] = (),
    *,
    answer_seconds: float | None = None,
    name: str = COMMAND,
    kind: type[Broker] = Broker,
) -> Broker:
    """A broker with no retries, no delays and quick recovery: those belong to the job rows.

    A killed worker's unread messages come back after about `heartbeat_timeout`; `maintenance_chance` makes
    every fetch look for them, which the default leaves to one in a thousand.
    """
    try:
        pool = redis.ConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=_ANSWER_SECONDS if answer_seconds is None else answer_seconds,
            client_name=name,
        )
    except ValueError as malformed:
        raise StartRefused(
            "TIELINE_REDIS_URL is not an address like redis://:password@host:6379/0", "set it to one"
        ) from malformed
    return kind(
        connection_pool=pool,
        middleware=list(middleware),
        heartbeat_timeout=5_000,
        maintenance_chance=1_000_000,
        dead_message_ttl=60_000,
    )


class Doorbell:
    """Rings for jobs; when Redis is away it says so once and keeps quiet for a few seconds at a time."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._quiet_until = 0.0
        self._away = False
        for queue in QUEUES:
            broker.declare_queue(queue)

    def close(self) -> None:
        self._broker.close()

    async def ring(self, rings: Sequence[Ring]) -> bool:
        """Ring for jobs that a person waits for, and call for the others; never raises.

        False when Redis did not take all of it.
        """
        named = [ring for ring in rings if ring.lane.queue == INTERACTIVE]
        return await self._told(partial(self._ring, named), len(named)) and await self.call(
            len(rings) - len(named)
        )

    async def call(self, count: int = 1) -> bool:
        """Call for so many jobs of the background, as far as there is room for calls; never raises."""
        count = min(count, MAX_CALLS)
        return await self._told(partial(self._call, count), count)

    async def pass_on(self) -> bool:
        """Call once more in place of a call that was heard, so that there are no more of them than before."""
        return await self._told(self._send_call, 1)

    async def unread(self, queue: str) -> int | None:
        """How many rings of this queue nobody has heard yet; None when Redis does not say."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                unread = await asyncio.to_thread(self._unread, queue)
        except _FAULTS as error:
            self._went_away(error)
            return None
        if self._away:  # whoever only looks finds out, too, that rings are taken again
            await self._told(self._try_out, 1)
        return unread

    async def answers(self) -> bool:
        """Whether Redis answers at this moment."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return bool(await asyncio.to_thread(self._broker.client.ping))
        except _FAULTS:
            return False

    async def fault(self) -> str | None:
        """Why Redis takes no ring at this moment; None when it would take one."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await asyncio.to_thread(self._try_out)
        except redis.exceptions.OutOfMemoryError:
            return "full: jobs wait until Redis has memory again"
        except redis.ResponseError:
            return "refused: jobs wait until Redis takes what is written"
        except _FAULTS:
            return AWAY
        return None

    async def _told(self, send: Callable[[], None], count: int) -> bool:
        if not count:
            return True
        if time.monotonic() < self._quiet_until:
            return False
        try:
            async with asyncio.timeout(_ANSWER_SECONDS * 2 + _SECONDS_A_RING * count):
                await asyncio.to_thread(send)
        except _FAULTS as error:
            self._went_away(error)
            return False
        self._came_back()
        return True

    def _try_out(self) -> None:
        self._broker.client.set(f"{self._broker.namespace}:tried", b"", ex=_TRIED_SECONDS)

    def _ring(self, rings: Sequence[Ring]) -> None:
        for ring in rings:
            self._broker.enqueue(_message(INTERACTIVE, RING, str(ring.job_id)))

    def _call(self, count: int) -> None:
        for _ in range(min(count, MAX_CALLS - self._unread(BACKGROUND))):
            self._send_call()

    def _send_call(self) -> None:
        self._broker.enqueue(_message(BACKGROUND, CALL))

    def _unread(self, queue: str) -> int:
        return int(self._broker.client.llen(f"{self._broker.namespace}:{queue}"))

    def _went_away(self, error: BaseException) -> None:
        self._quiet_until = time.monotonic() + _QUIET_SECONDS
        if not self._away:
            log.warning("doorbell.away", **fields_of(error))
        self._away = True

    def _came_back(self) -> None:
        if self._away:
            log.info("doorbell.back")
        self._away = False


def _message(queue: str, name: str, *arguments: str) -> Message[Any]:
    return Message(queue_name=queue, actor_name=name, args=arguments, kwargs={}, options={})


_doorbell: Doorbell | None = None


def install(doorbell: Doorbell | None) -> None:
    """Set the doorbell of this process; without one, jobs wait for the scheduler."""
    global _doorbell  # noqa: PLW0603 - one process, one doorbell
    _doorbell = doorbell


async def ring(rings: Sequence[Ring]) -> None:
    if _doorbell is not None:
        await _doorbell.ring(rings)


async def pass_on() -> None:
    if _doorbell is not None:
        await _doorbell.pass_on()


async def fault() -> str | None:
    """Why this process cannot ring at this moment; None when it can."""
    return AWAY if _doorbell is None else await _doorbell.fault()
