"""The Redis client of the hints: leaves waiting and trying again to those who know what it is good for."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tieline.settings import Settings

ANSWER_SECONDS = 1.0
_CLOSE_SECONDS = 10.0  # what bounds connecting bounds this, too; who waits to connect loses patience before
AWAY = (RedisError, OSError, TimeoutError)
"""What it raises when Redis is away, refuses or does not answer in time."""


def make_client(settings: Settings, *, connections: int) -> Redis:
    """Connects when it is first used; its address was checked when the doorbell was made.

    Callers bound what they ask, connecting as well: as in the quota's client, a time-out of sockets would lose
    cancellations.
    """
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=_CLOSE_SECONDS,
        socket_timeout=None,
        max_connections=connections,
        retry=Retry(NoBackoff(), 0),
    )
