"""Telling: one PUBLISH after a commit, which fails nobody. While Redis is away it keeps quiet for some seconds."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from tieline.ids import PracticeId
from tieline.live.client import ANSWER_SECONDS, AWAY, connected
from tieline.live.hints import CHANNEL, Hint, encode
from tieline.live.patience import patience
from tieline.live.presence import Presence
from tieline.settings import Settings

QUIET_SECONDS = 5.0
CONNECTIONS = 64


class Teller:
    """Publishes hints; never raises but when it is cancelled."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._quiet_until = 0.0
        self._presence = Presence("telling")

    async def tell(self, practice_id: PracticeId, hints: Collection[Hint]) -> bool:
        """False when Redis did not take them."""
        if not hints:
            return True
        if time.monotonic() < self._quiet_until:
            return False
        try:
            async with patience(ANSWER_SECONDS * 2):
                await self._client.publish(CHANNEL, encode(practice_id, hints))
        except AWAY as error:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            self._presence.went_away(error)
            return False
        self._presence.came_back()
        return True


_teller: Teller | None = None


@asynccontextmanager
async def telling(settings: Settings) -> AsyncIterator[None]:
    """Until the block ends, what this process commits is told to whoever watches it, in whatever process."""
    global _teller  # noqa: PLW0603 - one process, one teller
    before = _teller
    async with connected(settings, connections=CONNECTIONS) as client:
        _teller = Teller(client)
        try:
            yield
        finally:
            _teller = before


async def tell(practice_id: PracticeId, hints: Collection[Hint]) -> None:
    """Without a teller nobody is told: watchers look by themselves from time to time."""
    if _teller is not None:
        await _teller.tell(practice_id, hints)
