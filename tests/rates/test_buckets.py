"""One bucket: what flows in is what may be taken, and Redis reckons as Python does."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from tests.support.deployment import Deployment
from tieline.ids import new_id
from tieline.rates import Rate
from tieline.rates.bucket import Buckets, taken

_SECOND = 1_000_000
_TIME = "redis.call('TIME')"
_LIFE = "math.ceil((after - now) / 1000) + 1"

rates = st.builds(
    Rate, per_second=st.sampled_from([0.5, 1, 7, 5_000]), burst=st.sampled_from([1, 10, 300_000])
)
asked = st.lists(st.tuples(st.integers(-2 * _SECOND, 90 * _SECOND), st.floats(0, 400_000)), max_size=12)


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000 * _SECOND

    def now(self) -> int:
        return self.at


def test_a_full_bucket_gives_its_burst_at_once_and_then_what_flows_in() -> None:
    clock = Clock()
    buckets, rate = Buckets(clock.now), Rate(per_second=2, burst=6)

    assert [buckets.take("a", 2, rate) for _ in range(3)] == [None, None, None]
    wait = buckets.take("a", 2, rate)
    assert wait is not None
    assert wait.total_seconds() == 1

    clock.at += 1 * _SECOND
    assert buckets.take("a", 2, rate) is None
    assert buckets.take("a", 2, rate) == wait
    assert buckets.take("b", 6, rate) is None


def test_what_is_refused_takes_nothing() -> None:
    clock = Clock()
    buckets, rate = Buckets(clock.now), Rate(per_second=1, burst=10)
    buckets.take("a", 8, rate)

    refused = [buckets.take("a", 5, rate) for _ in range(100)]

    assert {wait and wait.total_seconds() for wait in refused} == {3}
    assert buckets.take("a", 2, rate) is None


def test_what_costs_more_than_a_bucket_holds_takes_a_full_one() -> None:
    clock = Clock()
    buckets, rate = Buckets(clock.now), Rate(per_second=1, burst=10)

    assert buckets.take("a", 1_000, rate) is None
    wait = buckets.take("a", 1_000, rate)

    assert wait is not None
    assert wait.total_seconds() == 10


def test_the_buckets_longest_unused_make_room() -> None:
    clock = Clock()
    buckets, rate = Buckets(clock.now, most=2), Rate(per_second=1, burst=1)
    for name in ("a", "b", "a", "c"):
        buckets.take(name, 1, rate)

    assert buckets.take("a", 1, rate) is not None
    assert buckets.take("c", 1, rate) is not None
    assert buckets.take("b", 1, rate) is None


@given(rate=rates, steps=asked)
def test_no_more_is_taken_than_a_burst_and_what_flowed_in_and_who_waits_is_let_through(
    rate: Rate, steps: list[tuple[int, float]]
) -> None:
    now, full_at, granted = 0, 0, 0
    for later, cost in steps:
        now += abs(later)
        span = rate.span(cost)
        full_at, wait = taken(full_at, now, span=span, whole=rate.whole)
        granted += 0 if wait else span

        assert granted <= rate.whole + now
        assert not wait or taken(full_at, now + wait, span=span, whole=rate.whole)[1] == 0
        assert not wait or taken(full_at, now + wait - 1, span=span, whole=rate.whole)[1] == 1


def test_redis_reckons_as_python_does_also_when_its_clock_jumps(deployment: Deployment) -> None:
    source = files("tieline.rates").joinpath("bucket.lua").read_text(encoding="utf-8")
    assert source.count(_TIME) == source.count(_LIFE) == 1
    runner = asyncio.Runner()
    client = Redis.from_url(deployment.redis_url)
    moved = source.replace(_TIME, "{ARGV[3], ARGV[4]}").replace(_LIFE, "60000")  # keys live by the real time
    script: Any = client.register_script(moved)

    @settings(deadline=None, database=None, max_examples=60, suppress_health_check=list(HealthCheck))
    @given(rate=rates, steps=asked)
    def beside(rate: Rate, steps: list[tuple[int, float]]) -> None:
        clock, name = Clock(), f"tieline:rate:test:{new_id()}"
        buckets = Buckets(clock.now)
        for later, cost in steps:
            clock.at += later
            wait = buckets.take(name, cost, rate)
            told = runner.run(
                script(keys=[name], args=[rate.span(cost), rate.whole, *divmod(clock.at, _SECOND)])
            )
            assert told == (0 if wait is None else round(wait.total_seconds() * _SECOND))

    try:
        beside()
    finally:
        runner.run(client.aclose())
        runner.close()
