"""Time-outs and cancellations in the midst of a call to Redis: none is lost, and no answer is taken for another's."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.quota.limits import a_minute, at_once, call, passed
from tests.support.deployment import Deployment
from tests.support.own_redis import OwnRedis
from tests.support.patience import QUOTAS, wait_long
from tieline.ids import new_id
from tieline.quota import Forgetful, Meter, Quota, RedisGate, metering, script
from tieline.quota.process import make_client
from tieline.quota.script import ANSWER_SECONDS
from tieline.work.actor import Lane

ROUNDS, MOMENTS = 10, 60


def gate_of(quota: Quota) -> RedisGate:
    meter = Meter(provider="pretend", client_id=str(new_id()))
    return RedisGate(
        quota, meter=meter, limits=(a_minute(100_000), at_once(5)), lane=Lane.FIRST, lasting=Forgetful()
    )


async def test_a_cancellation_ends_a_call_at_whatever_moment_it_comes(deployment: Deployment) -> None:
    lost = []
    async with metering(deployment.settings) as quota:
        gate = gate_of(quota)
        await call(gate)
        for moment in [*range(MOMENTS)] * ROUNDS:
            calling = asyncio.create_task(call(gate))
            for _ in range(moment):
                await asyncio.sleep(0)
            if calling.cancel():
                (ended,) = await asyncio.gather(calling, return_exceptions=True)
                lost += [] if isinstance(ended, asyncio.CancelledError) else [moment]

    assert lost == []


async def test_a_redis_that_answers_nothing_is_given_up_after_a_second_and_its_connection_with_it(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = [], script.Script._ask

    async def noted(self: script.Script, verb: str, *given: Any, **more: Any) -> list[str]:
        asked.append(verb)
        return await ask(self, verb, *given, **more)

    async with make_client(own_redis.url) as client:
        quota = Quota(client, rest=timedelta(0))
        gate = gate_of(quota)
        await call(gate)

        monkeypatch.setattr(script.Script, "_ask", noted)
        monkeypatch.setattr(script, "ANSWER_SECONDS", ANSWER_SECONDS)
        own_redis.freeze()
        began = time.monotonic()
        async with asyncio.timeout(20), gate.call("b"):
            waited, asked_in_vain = time.monotonic() - began, [*asked]
            wait_long(monkeypatch, *QUOTAS)
            own_redis.go_on()

        assert waited >= ANSWER_SECONDS
        assert asked_in_vain == ["take"]
        assert await passed(gate, 5, "c") == 5
        assert [await client.echo(word) for word in ("one", "two")] == [b"one", b"two"]
        await quota.close()
