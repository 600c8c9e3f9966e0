"""A broker that puts every message down twice, and a count of the pairs whose two are under way at the same time.

A worker as it is fetches many messages at once, so that two of its threads have a pair. One that fetches a single
message leaves the second of a pair to somebody else.
"""

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

PUT_DOWN, HEARD, AT_ONCE = "chaos:put-down", "chaos:heard", "chaos:at-once"
_UNDER_WAY = "chaos:under-way"
_TWIN, _A_PAIR = "twin", 2


class Doubling(dramatiq.Middleware):
    """Counts in Redis what was put down, without twins, what workers heard, and what two had at the same time."""

    def after_enqueue(
        self, broker: dramatiq.Broker, message: dramatiq.Message[Any], delay: int | None
    ) -> None:
        if _TWIN not in message.options:
            broker.enqueue(message.copy(options={_TWIN: True}), delay=delay)
            _redis(broker).incr(PUT_DOWN)

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        client = _redis(broker)
        client.incr(HEARD)
        if client.hincrby(_UNDER_WAY, message.message_id, 1) == _A_PAIR:
            client.incr(AT_ONCE)

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        del result, exception
        _redis(broker).hincrby(_UNDER_WAY, message.message_id, -1)

    def after_skip_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        self.after_process_message(broker, message)


def doubling() -> None:
    """From here on in this process."""

    def doubled(
        settings: Settings, middleware: Sequence[dramatiq.Middleware] = (), **more: Any
    ) -> RedisBroker:
        return make_broker(settings, [*middleware, Doubling()], **more)

    patch("tieline.lifespan.make_broker", doubled).start()
    patch("tieline.worker.process.make_broker", doubled).start()


def doubling_one_by_one() -> None:
    doubling()
    patch("dramatiq.worker.QUEUE_PREFETCH", 1).start()


def _redis(broker: dramatiq.Broker) -> redis.Redis:
    assert isinstance(broker, RedisBroker)
    return broker.client


async def until_heard(client: redis.Redis) -> tuple[int, int]:
    """Wait until every message was heard twice; how many pairs there were, and how many of them at once."""

    def counted(name: str) -> int:
        return int(str(client.incrby(name, 0)))

    async def twice() -> bool:
        return counted(HEARD) == 2 * counted(PUT_DOWN) > 0

    await until(twice, "every message is heard twice")
    return counted(PUT_DOWN), counted(AT_ONCE)
