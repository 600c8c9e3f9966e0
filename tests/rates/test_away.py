"""Buckets that are everybody's while Redis is there, and the process's own while it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import pytest
import structlog.testing
from redis.asyncio import Redis

from tests.support import patience
from tests.support.own_redis import OwnRedis
from tieline import rates
from tieline.live.client import connected
from tieline.rates import Rate, Rates, rating

SLOW = Rate(per_second=0.001, burst=5)
NOW = timedelta(0)
LONG = timedelta(hours=1)


class Stopwatch:
    """Time as the process sees it; Redis has its own."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at


@pytest.fixture
async def client(own_redis: OwnRedis) -> AsyncIterator[Redis]:
    async with connected(own_redis.settings, connections=8) as made:
        yield made


async def granted(process: Rates, who: str, times: int = 10) -> int:
    return [await process.spend("test", who, 1, SLOW) for _ in range(times)].count(None)


async def test_two_processes_fill_from_one_bucket(client: Redis) -> None:
    one, other = (Rates(client, answer_seconds=patience.SECONDS) for _ in range(2))

    assert await granted(one, "a", 3) == 3
    assert await granted(other, "a") == 2
    assert await granted(one, "a") == 0
    assert await granted(one, "b") == 5


async def test_what_is_kept_of_a_caller_is_a_hash_and_goes_by_itself(client: Redis) -> None:
    await granted(Rates(client, answer_seconds=patience.SECONDS), "203.0.113.7", 1)

    [key] = await client.keys("*")
    assert b"203.0.113.7" not in key
    assert 0 < await client.pttl(key) <= 1_000_002


async def test_while_redis_is_away_each_process_has_a_bucket_of_the_same_size(
    client: Redis, own_redis: OwnRedis
) -> None:
    one, other = (Rates(client, rest=LONG, answer_seconds=patience.SECONDS) for _ in range(2))
    assert await granted(one, "a") == 5
    own_redis.kill()

    assert await granted(one, "a") == 5
    assert await granted(one, "a") == 0
    assert await granted(other, "a") == 5


async def test_a_redis_that_was_away_is_said_once_and_counts_again_when_it_is_back(
    client: Redis, own_redis: OwnRedis
) -> None:
    watch = Stopwatch()
    process = Rates(client, now=watch.now, answer_seconds=patience.SECONDS)
    own_redis.kill()

    with structlog.testing.capture_logs() as events:
        assert await granted(process, "a", 2) == 2
        watch.at += 6_000_000
        assert await granted(process, "a", 2) == 2
        own_redis.start()
        watch.at += 6_000_000
        assert await granted(process, "a") == 5

    assert [event["event"] for event in events] == ["rates.away", "rates.back"]


async def test_of_a_mute_redis_one_caller_asks_and_the_others_do_not_wait_for_it(
    client: Redis, own_redis: OwnRedis
) -> None:
    watch = Stopwatch()
    process = Rates(client, now=watch.now)
    own_redis.freeze()

    try:
        assert await granted(process, "a", 1) == 1
        watch.at += 6_000_000
        assert process._asks_redis()
        assert not process._asks_redis()
        assert await granted(process, "a") == 4
    finally:
        own_redis.go_on()


async def test_a_loop_that_is_busy_takes_nobody_for_away(client: Redis, own_redis: OwnRedis) -> None:
    process = Rates(client, answer_seconds=0.01)
    patient = Rates(client, answer_seconds=patience.SECONDS)
    assert await patient.spend("test", "a", 1, SLOW) is None, "it is connected"

    async def busy() -> None:
        while True:
            time.sleep(0.03)  # noqa: ASYNC251 - what blocks the loop is what this is about
            own_redis.has_answered()  # so that it is the loop that is late, and not Redis
            await asyncio.sleep(0)

    working = asyncio.create_task(busy())
    with structlog.testing.capture_logs() as events:
        left = await granted(process, "a", 5)
    working.cancel()
    await asyncio.wait({working})

    assert left == 4
    assert events == []


async def test_a_redis_that_forgot_everything_begins_with_full_buckets(client: Redis) -> None:
    process = Rates(client, answer_seconds=patience.SECONDS)
    assert await granted(process, "a") == 5

    await client.flushall()

    assert await granted(process, "a") == 5


async def test_the_process_counts_with_the_others_until_the_block_ends(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.rates.process.Rates", partial(Rates, answer_seconds=patience.SECONDS))
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(rating(own_redis.settings))
        assert await granted(made, "a") == 5
        assert await rates.spend("test", "a", 1, SLOW) is not None
        async with rating(own_redis.settings) as second:
            assert await granted(second, "a") == 0

    assert await rates.spend("test", "a", 1, SLOW) is None
