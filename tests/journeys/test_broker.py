"""A worker's way to Redis: what is away is waited for, what refuses is not, and each is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.deployment import Deployment
from tests.support.own_redis import OwnRedis, running_redis
from tests.support.polling import WAIT_SECONDS, until
from tieline.work.actor import BACKGROUND
from tieline.work.doorbell import Doorbell, make_broker
from tieline.worker.broker import PatientBroker


@pytest.fixture
def own(deployment: Deployment, tmp_path: Path) -> Iterator[OwnRedis]:
    with running_redis(deployment, tmp_path) as made:
        yield made


@pytest.fixture
def broker(own: OwnRedis) -> Iterator[Any]:
    made = make_broker(own.settings, answer_seconds=WAIT_SECONDS, kind=PatientBroker)
    yield made
    made.close()


@pytest.fixture
def hasty(own: OwnRedis, broker: Any) -> Iterator[Any]:
    """The same worker's, which soon takes a Redis that does not answer for one that is away."""
    made = make_broker(own.settings, answer_seconds=0.2, kind=PatientBroker)
    made.broker_id = broker.broker_id
    yield made
    made.close()


async def fetched(own: OwnRedis, broker: Any) -> list[str]:
    """Two messages that this broker has taken, and not acknowledged."""
    assert await Doorbell(make_broker(own.settings)).call(2)
    assert len(broker.do_fetch(BACKGROUND, 2)) == 2
    with own.client() as client:
        return [message.decode() for message in client.hkeys(f"dramatiq:{BACKGROUND}.msgs")]


def kept(own: OwnRedis) -> int:
    with own.client() as client:
        return int(client.hlen(f"dramatiq:{BACKGROUND}.msgs"))


@pytest.mark.parametrize("command", ["ack", "nack"])
async def test_what_redis_refuses_is_let_go_and_said_once_while_it_answers_all_else(
    own: OwnRedis, broker: Any, command: str
) -> None:
    messages, ask = await fetched(own, broker), getattr(broker, f"do_{command}")
    with own.client() as client, capture_logs() as logged:
        client.execute_command("ACL", "SETUSER", "default", "-srem")
        for message in messages:
            await asyncio.wait_for(asyncio.to_thread(ask, BACKGROUND, message), WAIT_SECONDS)
            assert broker.do_fetch(BACKGROUND, 1) == []
        refused = kept(own)
        client.execute_command("ACL", "SETUSER", "default", "+srem")
        for message in messages:
            ask(BACKGROUND, message)

    said = [(each["event"], each.get("command"), each.get("queue")) for each in logged]
    assert said == [("worker.refused", command, BACKGROUND)]
    assert (refused, kept(own)) == (2, 0)


@pytest.mark.parametrize(
    ("leave", "return_"),
    [(OwnRedis.freeze, OwnRedis.go_on), (OwnRedis.kill, OwnRedis.start)],
    ids=["mute", "gone"],
)
@pytest.mark.parametrize("command", ["ack", "nack"])
async def test_what_became_of_a_message_is_told_once_redis_is_back(
    own: OwnRedis,
    broker: Any,
    hasty: Any,
    command: str,
    leave: Callable[[OwnRedis], None],
    return_: Callable[[OwnRedis], None],
) -> None:
    message, _ = await fetched(own, broker)

    with capture_logs() as logged:
        leave(own)
        telling = asyncio.create_task(asyncio.to_thread(getattr(hasty, f"do_{command}"), BACKGROUND, message))

        async def is_said() -> bool:
            return bool(logged)

        await until(is_said, "it is said that Redis is away")
        return_(own)
        await asyncio.wait_for(telling, WAIT_SECONDS)

    assert [each["event"] for each in logged] == ["worker.away", "worker.back"]
