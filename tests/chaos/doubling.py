"""A broker that puts every message down twice, and processes that fetch one at a time, so that two take up a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import dramatiq
import redis
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker

from tests.support.polling import until
from tieline.settings import Settings
from tieline.work.doorbell import make_broker

PUT_DOWN, HEARD = "chaos:put-down", "chaos:heard"
_TWIN = "twin"


class Doubling(dramatiq.Middleware):
    """Counts in Redis the messages that were put down, without their twins, and all that workers heard."""

    def after_enqueue(
        self, broker: dramatiq.Broker, message: dramatiq.Message[Any], delay: int | None
    ) -> None:
        assert isinstance(broker, RedisBroker)
        if _TWIN not in message.options:
            broker.enqueue(message.copy(options={_TWIN: True}), delay=delay)
            broker.client.incr(PUT_DOWN)

    def before_process_message(self, broker: dramatiq.Broker, _message: MessageProxy) -> None:
        assert isinstance(broker, RedisBroker)
        broker.client.incr(HEARD)


def doubling() -> None:
    """From here on in this process."""

    def doubled(
        settings: Settings, middleware: Sequence[dramatiq.Middleware] = (), **more: float
    ) -> RedisBroker:
        return make_broker(settings, [*middleware, Doubling()], **more)

    patch("tieline.lifespan.make_broker", doubled).start()
    patch("tieline.worker.process.make_broker", doubled).start()
    patch("dramatiq.worker.QUEUE_PREFETCH", 1).start()


async def until_heard(client: redis.Redis) -> int:
    """Wait until every message was heard twice; how many there were, each counted once."""

    def counted(name: str) -> int:
        return int(str(client.incrby(name, 0)))

    async def twice() -> bool:
        return counted(HEARD) == 2 * counted(PUT_DOWN) > 0

    await until(twice, "every message is heard twice")
    return counted(PUT_DOWN)
