"""The Redis client of the hints: leaves waiting and trying again to those who know what it is good for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tieline.settings import Settings

ANSWER_SECONDS = 1.0
CLOSE_SECONDS = 0.5
"""A process closes several clients, one after the other, after it has drained and before it is cut."""
_CONNECT_SECONDS = 10.0  # who waits loses patience before
AWAY = (RedisError, OSError, TimeoutError)
"""What it raises when Redis is away, refuses or does not answer in time."""


def connected(settings: Settings, *, connections: int) -> AbstractAsyncContextManager[Redis]:
    """A client, closed when the block ends."""
    return closing(_make_client(settings, connections))


@asynccontextmanager
async def closing(client: Redis) -> AsyncIterator[Redis]:
    """All its connections are closed when the block ends; how the other end takes it is not waited for long."""
    try:
        yield client
    finally:
        with suppress(*AWAY):
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.aclose()


def _make_client(settings: Settings, connections: int) -> Redis:
    """Connects when it is first used; its address was checked when the doorbell was made.

    Callers bound what they ask, connecting as well: as in the quota's client, a time-out of sockets would lose
    cancellations.
    """
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=None,
        max_connections=connections,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # what it would tell of itself takes a busy loop eight turns more to connect
    )
