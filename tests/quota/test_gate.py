"""What a gate lets through: windows, places in flight, days, blocks, lanes, and what it remembers of all that."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from tests.quota.conftest import Bench, Kept
from tests.quota.limits import a_day, a_minute, at_once, call, passed, throttled
from tests.support.deployment import Deployment
from tests.support.source import ROOT
from tieline import clock
from tieline.errors import LimitScope, QuotaSpent
from tieline.plugins.limits import Remaining
from tieline.quota.calls import milliseconds
from tieline.quota.script import IN_FLIGHT
from tieline.work.actor import Lane

_HOLDER = """
import asyncio, sys
from redis.asyncio import Redis
from tests.quota.limits import at_once
from tieline.quota import Forgetful, Meter, Quota, RedisGate
from tieline.work.actor import Lane

async def main():
    quota = Quota(Redis.from_url(sys.argv[1]))
    gate = RedisGate(quota, meter=Meter(provider="pretend", client_id=sys.argv[2]), limits=(at_once(2),),
                     lane=Lane.BACKGROUND, lasting=Forgetful())
    async with gate.call("a"), gate.call("a"):
        sys.stdout.write("held\\n")
        sys.stdout.flush()
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_minute_is_shared_by_all_processes_and_begins_anew_by_the_calendar(bench: Bench) -> None:
    one, other = bench.gate(a_minute(5)), bench.gate(a_minute(5))

    assert await passed(one, 3) == 3
    assert await passed(other, 3) == 2
    assert await passed(one, 1, "b") == 1
    bench.offset = timedelta(seconds=61)
    assert await passed(other, 9) == 5


async def test_the_clock_moved_back_locks_nobody_out(bench: Bench) -> None:
    bench.offset = timedelta(days=30)
    gate = bench.gate(a_minute(2), a_day(100))
    await call(gate)
    await call(gate, fault=throttled("day", 7_200))
    assert await passed(gate, 1) == 0
    small = bench.gate(a_day(1))
    await call(small, "c", day=0)
    assert await passed(small, 1, "c") == 0

    bench.offset = timedelta(0)

    assert await passed(small, 1, "c") == 1
    assert await passed(gate, 1, "b") == 1
    assert await passed(gate, 1) == 1


async def test_a_spent_limit_says_which_and_until_when(bench: Bench) -> None:
    gate = bench.gate(a_minute(1))
    await call(gate)

    with pytest.raises(QuotaSpent) as spent:
        await call(gate)

    assert (spent.value.code, spent.value.provider, spent.value.limit) == ("QUOTA_SPENT", "pretend", "minute")
    assert timedelta(seconds=50) < spent.value.resume_at - clock.now() <= timedelta(seconds=60)


async def test_all_limits_are_taken_or_none(bench: Bench) -> None:
    narrow = bench.gate(a_minute(5), a_minute(2, scope=LimitScope.APP))
    wide = bench.gate(a_minute(5), quota=bench.made[0])

    assert await passed(narrow, 5) == 2

    assert await passed(wide, 5) == 3


async def test_a_place_in_flight_is_free_after_the_call_and_those_who_wait_come_in_their_order(
    bench: Bench,
) -> None:
    gate = bench.gate(at_once(1), patience=20)
    order: list[int] = []

    async def one(number: int) -> None:
        async with gate.call("a"):
            order.append(number)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(one(number) for number in range(8)))

    assert order == list(range(8))


async def test_the_place_of_a_killed_process_is_free_in_time(bench: Bench, deployment: Deployment) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _HOLDER,
        deployment.redis_url,
        bench.meter.client_id,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    holder.kill()
    await holder.wait()

    gate, flight = bench.gate(at_once(2)), bench.meter.flight("a")
    held = await passed(gate, 1)
    for call_id in await bench.redis.zrange(flight, 0, -1):  # as if so much time had gone by
        assert isinstance(call_id, bytes)
        await bench.redis.zincrby(flight, -milliseconds(IN_FLIGHT), call_id)
    after = await passed(gate, 2)

    assert (held, after) == (0, 2)


async def test_a_cancelled_caller_leaves_no_place_behind(bench: Bench) -> None:
    quota = bench.quota()
    gate = bench.gate(at_once(1), quota=quota, patience=20)
    for pause in range(40):
        caller = asyncio.create_task(call(gate))
        await asyncio.sleep(pause / 10_000)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    await quota.close()

    assert await bench.redis.zcard(bench.meter.flight("a")) == 0


async def test_figures_correct_downwards_at_once(bench: Bench) -> None:
    gate = bench.gate(a_minute(60), a_day(1_000))

    await call(gate, minute=4, day=2)

    assert await passed(gate, 9) == 2 + 1  # one finds out whether the day began anew
    with pytest.raises(QuotaSpent, match="'day'"):
        await call(gate)


async def test_figures_correct_upwards_only_when_nothing_else_is_in_flight(bench: Bench) -> None:
    gate = bench.gate(a_minute(4))
    await call(gate, minute=3)
    async with gate.call("a"):
        for _ in range(2):
            await call(gate, minute=4)

        assert await passed(gate, 1) == 0

    bench.offset = timedelta(seconds=61)
    assert await passed(gate, 3) == 3
    await call(gate, minute=3)
    assert await passed(gate, 9) == 3


async def test_a_figure_from_before_another_call_that_was_in_flight_with_it_corrects_nothing_upwards(
    bench: Bench,
) -> None:
    gate = bench.gate(a_minute(4))
    await call(gate, minute=3)
    async with AsyncExitStack() as counted_last:
        await counted_last.enter_async_context(gate.call("a"))
        async with gate.call("a") as counted_first:
            await counted_last.aclose()
            counted_first.answered([Remaining(limit="minute", left=2)], None)

    assert await passed(gate, 9) == 1


async def test_a_share_of_the_day_is_left_to_people_who_wait(bench: Bench) -> None:
    quota = bench.quota()
    background = bench.gate(a_day(20), quota=quota, lane=Lane.BACKGROUND)
    interactive = bench.gate(a_day(20), quota=quota)
    await call(background, day=5)

    assert await passed(background, 9) == 3 + 1  # one looks whether the day began anew
    assert await passed(interactive, 9) == 1 + 1


async def test_a_day_is_never_begun_anew_here_but_by_one_probe(bench: Bench) -> None:
    gate = bench.gate(a_day(100), at_once(5))
    await call(gate, fault=throttled("day", 7_200), day=0)
    bench.offset = timedelta(hours=1, minutes=59)
    assert await passed(gate, 1) == 0

    bench.offset = timedelta(hours=2, minutes=1)
    async with gate.call("a") as probe:
        assert await passed(gate, 1) == 0
        await asyncio.sleep(0)
        probe.answered([], None)
    assert await passed(gate, 1) == 0, "an answer that says nothing begins no day that answers told of before"
    bench.offset += timedelta(seconds=11)
    await call(gate, day=99)

    assert await passed(gate, 5) == 5


async def test_an_answer_that_says_that_the_day_is_spent_holds_for_an_hour(bench: Bench) -> None:
    quota = bench.quota()
    background = bench.gate(a_day(20), quota=quota, lane=Lane.BACKGROUND)
    interactive = bench.gate(a_day(20), quota=quota)
    await call(background, day=2)
    assert await passed(background, 1) == 0
    await call(interactive, day=1)
    await call(interactive, day=0)

    bench.offset = timedelta(minutes=59)
    assert (await passed(background, 1), await passed(interactive, 1)) == (0, 0)
    bench.offset = timedelta(minutes=61)
    await call(interactive, day=20)

    assert await passed(background, 9) == 9


async def test_where_no_answer_tells_of_the_day_a_call_that_goes_through_begins_it(bench: Bench) -> None:
    gate = bench.gate(a_day(100), at_once(5))
    await call(gate, fault=throttled("day", 7_200))

    bench.offset = timedelta(hours=2, minutes=1)
    async with gate.call("a") as probe:
        assert await passed(gate, 1) == 0
        probe.answered([], None)

    assert await passed(gate, 9) == 9


async def test_a_figure_from_before_the_new_window_does_not_spend_the_new_one(bench: Bench) -> None:
    gate = bench.gate(a_minute(5))
    await call(gate, minute=4)
    assert await passed(gate, 3) == 3
    async with gate.call("a") as late:
        bench.offset = timedelta(seconds=70)
        await call(gate)
        late.answered([Remaining(limit="minute", left=0)], None)

    assert await passed(gate, 9) == 4


async def test_a_refusal_of_the_app_stops_all_its_organisations(bench: Bench) -> None:
    one, other = bench.gate(a_minute(9)), bench.gate(a_minute(9))
    await call(one, "a", throttled("never heard of", 30, LimitScope.APP))

    with pytest.raises(QuotaSpent, match="'never heard of'"):
        await call(other, "b")


async def test_long_blocks_outlive_redis_and_short_waits_are_slept_through(bench: Bench) -> None:
    kept = Kept()
    gate = bench.gate(a_minute(9), lasting=kept, patience=5)
    await call(gate, "a", throttled("day", 7_200))
    await call(gate, "b", throttled("minute", 0.3))
    assert [(block.organisation, block.limit) for block in kept.blocks] == [("a", "day")]

    await bench.wipe()

    with pytest.raises(QuotaSpent, match="'day'"):
        await call(gate, "a")
    with pytest.raises(QuotaSpent, match="'day'"):
        await call(bench.gate(a_minute(9), lasting=kept), "a")
    await call(gate, "b")


async def test_calls_in_flight_are_known_to_a_wiped_redis_again(bench: Bench) -> None:
    quota = bench.quota()
    gate = bench.gate(at_once(2), a_minute(9), quota=quota, patience=5)
    async with gate.call("a"), gate.call("b"):
        await bench.wipe()
        await call(gate, "c")

        assert [await bench.redis.zcard(bench.meter.flight(one)) for one in ("a", "b")] == [1, 1]
    assert [await bench.redis.zcard(bench.meter.flight(one)) for one in ("a", "b")] == [0, 0]


async def test_where_redis_forgot_one_call_at_a_time_finds_out_what_is_left(bench: Bench) -> None:
    gate = bench.gate(at_once(5), a_minute(60))
    async with gate.call("a"):
        assert await passed(gate, 1) == 0
    await call(gate, minute=30)

    async with gate.call("a"), gate.call("a"):
        pass


async def test_what_was_forgotten_no_longer_matters_after_a_window(bench: Bench) -> None:
    gate = bench.gate(at_once(5), a_minute(60))
    await call(gate, "b")
    marker = await bench.redis.get(bench.meter.marker())
    assert isinstance(marker, bytes)
    name, since = marker.decode().split()
    await bench.redis.set(bench.meter.marker(), f"{name} {int(since) - 66_000}", ex=60)

    async with gate.call("a"), gate.call("a"):
        pass


async def test_calls_without_an_organisation_spend_what_is_the_apps(bench: Bench) -> None:
    gate = bench.gate(a_minute(1), a_minute(3, scope=LimitScope.APP))

    assert await passed(gate, 9, None) == 3
