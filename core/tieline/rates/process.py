"""The buckets as one process sees them: in Redis with all others', and its own while Redis is away or mute.

A Redis that did not answer is left alone for some seconds, so that nobody's request waits for it; then one asks.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from tieline.live.client import AWAY, connected
from tieline.live.patience import patience
from tieline.log import fields_of, get_logger
from tieline.rates.bucket import Buckets, Rate
from tieline.settings import Settings

ANSWER_SECONDS = 0.1
REST = timedelta(seconds=5)
CONNECTIONS = 64
_PREFIX = "tieline:rate"

log = get_logger(__name__)


class Rates:
    """Never raises what the Redis client raises. `rest` is how long a Redis that did not answer is left alone."""

    def __init__(
        self,
        client: Redis | None,
        *,
        rest: timedelta = REST,
        answer_seconds: float = ANSWER_SECONDS,
        now: Callable[[], int] = lambda: time.monotonic_ns() // 1_000,
    ) -> None:
        source = files("tieline.rates").joinpath("bucket.lua").read_text(encoding="utf-8")
        self._run: Any = None if client is None else client.register_script(source)
        self._own = Buckets(now)
        self._now = now
        self._rest = rest // timedelta(microseconds=1)
        self._answer_seconds = answer_seconds
        self._lines = asyncio.Semaphore(CONNECTIONS)
        self._away_until: int | None = None

    async def spend(self, kind: str, who: str, cost: float, rate: Rate) -> timedelta | None:
        """Take `cost` out of the bucket of this kind and caller: None where there was enough, or how long to wait."""
        name = f"{_PREFIX}:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
        if self._run is None or not self._asks_redis():
            return self._own.take(name, cost, rate)
        try:
            async with patience(self._answer_seconds), self._lines:
                wait = await self._run(keys=[name], args=[rate.span(cost), rate.whole])
        except AWAY as error:
            self._went_away(error)
            return self._own.take(name, cost, rate)
        self._came_back()
        return timedelta(microseconds=int(wait)) if wait else None

    def _asks_redis(self) -> bool:
        """One asks while it is away; the others do not wait to hear what becomes of that."""
        if self._away_until is None:
            return True
        if self._now() < self._away_until:
            return False
        self._away_until = self._now() + self._rest
        return True

    def _went_away(self, error: BaseException) -> None:
        if self._away_until is None:
            log.warning("rates.away", **fields_of(error))
        self._away_until = self._now() + self._rest

    def _came_back(self) -> None:
        if self._away_until is not None:
            log.info("rates.back")
        self._away_until = None


_rates = Rates(None)


@asynccontextmanager
async def rating(settings: Settings) -> AsyncIterator[Rates]:
    """Until the block ends, this process counts together with all others of the deployment."""
    global _rates  # noqa: PLW0603 - one process, one set of buckets
    before = _rates
    async with connected(settings, connections=CONNECTIONS) as client:
        _rates = Rates(client)
        try:
            yield _rates
        finally:
            _rates = before


async def spend(kind: str, who: str, cost: float, rate: Rate) -> timedelta | None:
    """As `Rates.spend` of this process."""
    return await _rates.spend(kind, who, cost, rate)
