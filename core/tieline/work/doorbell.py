"""The doorbell: a Redis message that says 'look at job N'. Losing one costs time, never work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message

from tieline.errors import StartRefused
from tieline.log import fields_of, get_logger
from tieline.settings import Settings
from tieline.work.actor import QUEUES
from tieline.work.repository import Ring

MESSAGE = "run_job"
MAX_AGE_MS = 60_000  # an unread ring is rung again by the scheduler anyway
_ANSWER_SECONDS = 1.0
_QUIET_SECONDS = 5.0
_SECONDS_A_RING = 0.02  # the broker sends one after the other

log = get_logger(__name__)


def make_broker(
    settings: Settings,
    middleware: Sequence[dramatiq.Middleware] = (),
    *,
    answer_seconds: float = _ANSWER_SECONDS,
) -> RedisBroker:
    """A broker with no retries, no delays and quick recovery: those belong to the job rows.

    A killed worker's unread messages come back after about `heartbeat_timeout`; `maintenance_chance` makes
    every fetch look for them, which the default leaves to one in a thousand.
    """
    try:
        pool = redis.ConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=answer_seconds,
        )
    except ValueError as malformed:
        raise StartRefused(
            "TIELINE_REDIS_URL is not an address like redis://:password@host:6379/0; mend it."
        ) from malformed
    return RedisBroker(
        connection_pool=pool,
        middleware=list(middleware),
        heartbeat_timeout=5_000,
        maintenance_chance=1_000_000,
        dead_message_ttl=60_000,
    )


class Doorbell:
    """Rings for jobs; when Redis is away it says so once and keeps quiet for a few seconds at a time."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        self._quiet_until = 0.0
        self._away = False
        for queue in QUEUES:
            broker.declare_queue(queue)

    async def ring(self, rings: Sequence[Ring]) -> bool:
        """Send one message a job; never raises. False when Redis did not take them."""
        if not rings:
            return True
        if time.monotonic() < self._quiet_until:
            return False
        try:
            async with asyncio.timeout(_ANSWER_SECONDS * 2 + _SECONDS_A_RING * len(rings)):
                await asyncio.to_thread(self._send, rings)
        except (TimeoutError, redis.RedisError, dramatiq.errors.BrokerError) as error:
            self._went_away(error)
            return False
        self._came_back()
        return True

    async def unread(self, queue: str) -> int | None:
        """How many rings of this queue nobody has heard yet; None when Redis does not say."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return int(
                    await asyncio.to_thread(self._broker.client.llen, f"{self._broker.namespace}:{queue}")
                )
        except (TimeoutError, redis.RedisError) as error:
            self._went_away(error)
            return None

    async def answers(self) -> bool:
        """Whether Redis answers at this moment."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return bool(await asyncio.to_thread(self._broker.client.ping))
        except (TimeoutError, redis.RedisError):
            return False

    def _send(self, rings: Sequence[Ring]) -> None:
        for ring in rings:
            self._broker.enqueue(message_for(ring))

    def _went_away(self, error: BaseException) -> None:
        self._quiet_until = time.monotonic() + _QUIET_SECONDS
        if not self._away:
            log.warning("doorbell.away", **fields_of(error))
        self._away = True

    def _came_back(self) -> None:
        if self._away:
            log.info("doorbell.back")
        self._away = False


def message_for(ring: Ring) -> Message[Any]:
    return Message(
        queue_name=ring.lane.queue,
        actor_name=MESSAGE,
        args=(str(ring.job_id),),
        kwargs={},
        options={},
    )


_doorbell: Doorbell | None = None


def install(doorbell: Doorbell | None) -> None:
    """Set the doorbell of this process; without one, jobs wait for the scheduler."""
    global _doorbell  # noqa: PLW0603 - one process, one doorbell
    _doorbell = doorbell


async def ring(rings: Sequence[Ring]) -> None:
    if _doorbell is not None:
        await _doorbell.ring(rings)


async def answers() -> bool:
    """Whether this process has a doorbell and Redis answers it."""
    return _doorbell is not None and await _doorbell.answers()
