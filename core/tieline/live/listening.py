"""Listening: one Redis subscription a process, come back to whenever it is lost, fanned out to the watchers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from tieline.live.client import ANSWER_SECONDS, AWAY, connected
from tieline.live.hints import CHANNEL, decode
from tieline.live.patience import patience
from tieline.live.presence import Presence
from tieline.live.watchers import WATCHERS, Watchers
from tieline.log import get_logger
from tieline.settings import Settings

CONNECTIONS = 2
HEARTBEAT_SECONDS = 5.0
_PAUSES = (0.1, 0.5, 1.0, 2.0)

log = get_logger(__name__)


class Listener:
    """Hands what it hears to the watchers, and tells them whether it hears at all."""

    def __init__(self, client: Redis, watchers: Watchers) -> None:
        self._client = client
        self._watchers = watchers
        self._presence = Presence("listening")
        self._failures = 0

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self._listen()
                except AWAY as error:
                    self._presence.went_away(error)
                except Exception:  # one odd answer must not make all watchers deaf for good
                    log.exception("live.failed")
                self._watchers.set_hearing(hearing=False)
                pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
                self._failures += 1
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        finally:
            self._watchers.set_hearing(hearing=False)

    async def _listen(self) -> None:
        async with self._client.pubsub() as subscription:
            async with patience(ANSWER_SECONDS * 2):
                await subscription.subscribe(CHANNEL)
            while True:
                message = await _next(subscription)
                if message["type"] == "subscribe":
                    self._failures = 0
                    self._presence.came_back()
                    self._watchers.set_hearing(hearing=True)
                elif message["type"] == "message":
                    self._hear(message["data"])

    def _hear(self, data: object) -> None:
        told = decode(data)
        if told is None:
            log.warning("live.message_odd")
        else:
            self._watchers.heard(*told)


async def _next(subscription: PubSub) -> dict[str, Any]:
    """The next message of any kind. Raises TimeoutError when the other side is silent even if it is asked."""
    with suppress(TimeoutError):
        async with patience(HEARTBEAT_SECONDS):
            return await _read(subscription)
    async with patience(ANSWER_SECONDS * 4):  # it may have to connect anew
        await subscription.ping()
        return await _read(subscription)


async def _read(subscription: PubSub) -> dict[str, Any]:
    message = None
    while message is None:
        message = await subscription.get_message(timeout=None)
    return dict(message)


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[None]:
    """Until the block ends, watchers of this process are woken by hints. Redis may come and go meanwhile."""
    async with connected(settings, connections=CONNECTIONS) as client:
        task = asyncio.create_task(Listener(client, WATCHERS).run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
