"""Redis away: calls go on by a careful quota of the process, and are counted together again once it is back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from tests.quota.conftest import Bench, Kept
from tests.quota.limits import a_day, a_minute, at_once, call, passed, throttled
from tests.support.deployment import Deployment
from tieline import clock
from tieline.errors import QuotaSpent
from tieline.ids import new_id
from tieline.quota import Block, Forgetful, Meter, RedisGate, metering
from tieline.work.actor import Lane


async def test_a_quarter_of_the_minute_goes_on_one_call_at_a_time(away: Bench) -> None:
    gate = away.gate(a_minute(40), at_once(5))

    async with gate.call("a"):
        assert await passed(gate, 1) == 0
        assert await passed(gate, 1, "b") == 1

    assert await passed(gate, 40) == 9
    assert await passed(gate, 40, "b") == 9


async def test_blocks_and_what_answers_said_of_the_day_hold(away: Bench) -> None:
    interactive = away.gate(a_minute(40), a_day(100))
    background = away.gate(a_minute(40), a_day(100), quota=away.made[0], lane=Lane.BACKGROUND)
    await call(interactive, "a", throttled("day", 7_200))
    await call(interactive, "b", day=11)

    with pytest.raises(QuotaSpent, match="'day'"):
        await call(interactive, "a")
    assert await passed(background, 9, "b") == 1
    assert await passed(interactive, 3, "b") == 3


async def test_when_redis_is_back_it_is_told_of_blocks_and_of_calls_in_flight(
    away: Bench, bench: Bench
) -> None:
    kept = Kept()
    quota = away.quota(rest=timedelta(0))
    limits = a_minute(40), at_once(5)
    gate = away.gate(*limits, quota=quota, lasting=kept)
    await call(gate, "a", throttled("day", 7_200))

    async with gate.call("b"):
        quota._script._run.registered_client = bench.redis
        await call(gate, "c")

        assert await bench.redis.zcard(away.meter.flight("b")) == 1
    assert await bench.redis.zcard(away.meter.flight("b")) == 0
    with pytest.raises(QuotaSpent, match="'day'"):
        await call(Bench(redis=bench.redis, meter=away.meter).gate(*limits, lasting=kept), "a")


async def test_a_process_that_never_saw_redis_reads_the_blocks_before_its_first_call(
    away: Bench, bench: Bench
) -> None:
    until = clock.now() + timedelta(hours=2)
    kept = Kept([Block(organisation="a", limit="day", until=until)])

    with pytest.raises(QuotaSpent) as spent:
        await call(bench.gate(a_minute(9), lasting=kept), "a")

    assert abs(spent.value.resume_at - until) < timedelta(seconds=1)
    with pytest.raises(QuotaSpent, match="'day'"):
        await call(away.gate(a_minute(9), lasting=kept), "a")


async def test_the_process_has_a_client_of_its_own(deployment: Deployment) -> None:
    meter = Meter(provider="pretend", client_id=str(new_id()))
    limits = (at_once(1),)

    async with metering(deployment.settings) as quota, Redis.from_url(deployment.redis_url) as redis:
        await call(RedisGate(quota, meter=meter, limits=limits, lane=Lane.FIRST, lasting=Forgetful()), "a")

        assert await redis.exists(meter.marker()) == 1
