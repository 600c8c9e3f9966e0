"""Live hints over a real Redis: who is woken, and that Redis may come and go meanwhile."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from tests.support.hints import hearing
from tests.support.own_redis import OwnRedis
from tests.support.patience import LISTENING, TELLING, wait_long
from tests.support.polling import until
from tieline.clients.service import NewClient, create_client
from tieline.ids import PracticeId, new_id
from tieline.live import Hint, listening, tell, telling, watchers, watching
from tieline.live.hints import CHANNEL
from tieline.live.watchers import WATCHERS, Watcher, Watchers
from tieline.principal import Principal
from tieline.work import system_work, unit_of_work

PRACTICE = PracticeId(new_id())
LONG = 3_600.0
"""Seconds: nobody stays silent for as long while a test lasts."""
telling_module: Any = sys.modules[telling.__module__]
listening_module: Any = sys.modules[listening.__module__]


@asynccontextmanager
async def open_live(redis: OwnRedis) -> AsyncIterator[None]:
    """Telling and listening in this process, and hints arrive."""
    async with telling(redis.settings), listening(redis.settings):
        await hearing()
        yield


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a watcher which is not woken fails its test instead of looking by itself.

    A Redis that is slow here is not taken for lost.
    """
    monkeypatch.setattr(watchers, "SLOW_SECONDS", 600.0)
    monkeypatch.setattr(watchers, "POLL_SECONDS", 600.0)
    wait_long(monkeypatch, *TELLING, *LISTENING)


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that answers nothing is found out soon."""
    monkeypatch.setattr(listening_module, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(listening_module, "ANSWER_SECONDS", 1.0)


async def woken(*waiting: Watcher) -> list[bool]:
    async with asyncio.timeout(20):
        return list(await asyncio.gather(*(watcher.wait() for watcher in waiting)))


async def asleep(watcher: Watcher) -> bool:
    """Whether it still waits after a hint that came later has woken another."""
    with watching(PRACTICE, "other", PRACTICE) as other:
        await tell(PRACTICE, [Hint("other", PRACTICE)])
        await woken(other)
    return not watcher._woken.is_set()


async def test_a_hint_wakes_those_who_watch_this_very_thing(own_redis: OwnRedis) -> None:
    sign_in = new_id()
    async with open_live(own_redis):
        with (
            watching(PRACTICE, "sign_in", sign_in) as first,
            watching(PRACTICE, "sign_in", sign_in) as second,
            watching(PRACTICE, "sign_in", new_id()) as of_another_id,
            watching(PRACTICE, "connection", sign_in) as of_another_topic,
            watching(PracticeId(new_id()), "sign_in", sign_in) as of_another_practice,
        ):
            await tell(PRACTICE, [Hint("sign_in", sign_in)])

            assert await woken(first, second) == [True, True]
            for other in (of_another_id, of_another_topic, of_another_practice):
                assert await asleep(other)
    assert len(WATCHERS) == 0


async def test_a_hint_that_comes_while_its_watcher_looks_is_not_missed_and_many_are_one(
    own_redis: OwnRedis,
) -> None:
    sign_in = new_id()
    async with open_live(own_redis):
        with watching(PRACTICE, "sign_in", sign_in) as watcher:
            for _ in range(100):
                await tell(PRACTICE, [Hint("sign_in", sign_in)])
            assert not await asleep(watcher)

            assert await woken(watcher) == [True]
            assert await asleep(watcher)


async def test_a_hint_about_very_many_wakes_everybody_of_the_topic(own_redis: OwnRedis) -> None:
    async with open_live(own_redis):
        with (
            watching(PRACTICE, "connection", new_id()) as one,
            watching(PRACTICE, "sign_in", new_id()) as two,
        ):
            await tell(PRACTICE, [Hint("connection", new_id()) for _ in range(1_000)])

            assert await woken(one) == [True]
            assert await asleep(two)


async def test_five_hundred_watchers_share_one_subscription_and_leave_nothing(own_redis: OwnRedis) -> None:
    ids = [new_id() for _ in range(500)]
    tasks = asyncio.all_tasks()
    async with open_live(own_redis):
        with ExitStack() as stack:
            waiting = [stack.enter_context(watching(PRACTICE, "sign_in", one)) for one in ids]
            running = asyncio.gather(*(watcher.wait() for watcher in waiting))
            with own_redis.client() as client:
                subscriptions = client.pubsub_numsub(CHANNEL)
            for one in random.sample(ids, len(ids)):
                await tell(PRACTICE, [Hint("sign_in", one)])
            async with asyncio.timeout(20):
                assert all(await running)
            assert len(WATCHERS) == 500

    assert subscriptions == [(CHANNEL.encode(), 1)]
    assert len(WATCHERS) == 0
    assert asyncio.all_tasks() <= tasks


async def test_a_watcher_that_is_cancelled_is_forgotten(own_redis: OwnRedis) -> None:
    async def watch() -> None:
        with watching(PRACTICE, "sign_in", new_id()) as watcher:
            await watcher.wait()

    async with open_live(own_redis):
        tasks = [asyncio.create_task(watch()) for _ in range(50)]
        await asyncio.sleep(0)
        assert len(WATCHERS) == 50
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert len(WATCHERS) == 0


async def test_redis_may_die_and_come_back_and_each_is_said_once(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling_module, "QUIET_SECONDS", LONG)
    sign_in = new_id()
    with capture_logs() as logged:
        async with open_live(own_redis):
            with watching(PRACTICE, "sign_in", sign_in) as watcher:
                own_redis.kill()
                assert await woken(watcher) == [True], "it looks, since hints may be missed from now on"
                await hearing(wanted=False)
                teller = telling_module._teller
                with patch.object(teller._client, "publish", wraps=teller._client.publish) as attempts:
                    for _ in range(50):
                        await tell(PRACTICE, [Hint("sign_in", sign_in)])

                own_redis.start()
                await hearing()
                assert await woken(watcher) == [True], "it looks, since hints may have been missed"
                teller._quiet_until -= LONG  # as if so much time had gone by
                await tells_again(sign_in)
                assert await woken(watcher) == [True]

    said = [(event["event"], event["side"]) for event in logged if event["event"].startswith("live.")]
    assert sorted(said) == [
        ("live.away", "listening"),
        ("live.away", "telling"),
        ("live.back", "listening"),
        ("live.back", "telling"),
    ]
    assert attempts.call_count == 1, "then silence"


async def tells_again(sign_in: UUID) -> None:
    """Now that the teller's silence is over."""

    async def told() -> bool:
        teller = telling_module._teller
        return teller is not None and await teller.tell(PRACTICE, [Hint("sign_in", sign_in)])

    await until(told, "hints are told again")


async def test_a_lost_subscription_is_taken_up_again(own_redis: OwnRedis) -> None:
    sign_in = new_id()
    async with open_live(own_redis):
        with watching(PRACTICE, "sign_in", sign_in) as watcher, own_redis.client() as client:
            killed = client.client_kill_filter(_type="pubsub")
            assert killed == 1
            assert await woken(watcher) == [True]

            async def subscribed() -> bool:
                return client.pubsub_numsub(CHANNEL) == [(CHANNEL.encode(), 1)] and WATCHERS._hearing

            await until(subscribed, "it listens again")
            await asleep(watcher)
            watcher._woken.clear()
            await tell(PRACTICE, [Hint("sign_in", sign_in)])
            assert await woken(watcher) == [True]


async def test_a_wiped_redis_and_odd_messages_change_nothing(own_redis: OwnRedis) -> None:
    sign_in = new_id()
    async with open_live(own_redis):
        with watching(PRACTICE, "sign_in", sign_in) as watcher, own_redis.client() as client:
            client.flushall()
            for odd in (b"", b"{", b"\xff" * 100, b"x" * 1_000_000):
                client.publish(CHANNEL, odd)
            await tell(PRACTICE, [Hint("sign_in", sign_in)])

            assert await woken(watcher) == [True]


@pytest.mark.usefixtures("watchful")
async def test_an_idle_subscription_stays_and_a_mute_redis_is_found_out(own_redis: OwnRedis) -> None:
    with capture_logs() as logged:
        async with open_live(own_redis):
            with watching(PRACTICE, "sign_in", new_id()) as watcher:
                await asyncio.sleep(0.5)
                assert [event for event in logged if event["event"].startswith("live.")] == []
                own_redis.freeze()
                assert await woken(watcher) == [True]
    own_redis.go_on()

    assert [event["event"] for event in logged if event["event"].startswith("live.")] == ["live.away"]


@pytest.mark.usefixtures("watchful")
async def test_a_redis_that_takes_connections_and_answers_nothing_is_found_out(own_redis: OwnRedis) -> None:
    own_redis.freeze()
    with capture_logs() as logged:
        async with listening(own_redis.settings):
            await until(lambda: is_away(logged), "it is known that Redis is away")
            own_redis.go_on()
            await hearing()


@pytest.mark.usefixtures("watchful")
async def test_a_lost_subscription_to_a_redis_that_answers_nothing_is_taken_up_once_it_does(
    own_redis: OwnRedis,
) -> None:
    with capture_logs() as logged, own_redis.client() as client:
        async with listening(own_redis.settings):
            await hearing()
            client.client_kill_filter(_type="pubsub")
            own_redis.freeze()
            await until(lambda: is_away(logged), "it is known that Redis is away")
            await hearing(wanted=False)
            own_redis.go_on()
            await hearing()


async def is_away(logged: list[Any]) -> bool:
    return any(event["event"] == "live.away" for event in logged)


async def test_without_hints_a_watcher_looks_every_two_seconds_or_so_and_with_them_rarely(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    deaf = [WATCHERS.pause() for _ in range(100)]
    async with open_live(own_redis):
        listening_ = [WATCHERS.pause() for _ in range(100)]
    after = WATCHERS.pause()

    assert all(1.6 <= pause <= 2.4 for pause in [*deaf, after])
    assert all(12 <= pause <= 18 for pause in listening_)


async def test_the_more_watchers_look_unasked_the_more_rarely_each_does_while_no_hints_arrive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(watchers, "MOST_LOOKS", 10)
    mine = Watchers()

    with ExitStack() as watched:
        many = [watched.enter_context(mine.watching(PRACTICE, "client", new_id())) for _ in range(200)]
        waiting = [*(each.wait() for each in many[:100]), *(each.told() for each in many[100:])]
        tasks = [asyncio.ensure_future(each) for each in waiting]
        await asyncio.sleep(0)
        deaf = [mine.pause() for _ in range(100)]
        mine.set_hearing(hearing=True)
        listening_ = [mine.pause() for _ in range(100)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    mine.set_hearing(hearing=False)

    assert all(8 <= pause <= 12 for pause in deaf), "as often as if nobody were there who is told alone"
    assert all(12 <= pause <= 18 for pause in listening_)
    assert 1.6 <= mine.pause() <= 2.4


async def test_when_hints_begin_to_arrive_many_watchers_are_woken_one_after_another() -> None:
    mine = Watchers()

    with ExitStack() as watched:
        many = [
            watched.enter_context(mine.watching(PRACTICE, topic, id_))
            for id_ in (new_id() for _ in range(60))
            for topic in ("client", "connection")
        ]
        mine.set_hearing(hearing=True)
        at_once = sum(watcher._woken.is_set() for watcher in many)
        everybody = await woken(*many)

    assert at_once == 50
    assert everybody == [True] * 120


async def test_while_hints_come_and_go_many_watchers_stand_in_one_row_and_none_is_passed_over() -> None:
    mine = Watchers()

    with ExitStack() as watched:
        many = [watched.enter_context(mine.watching(PRACTICE, "client", new_id())) for _ in range(120)]
        for hearing_ in (True, False, True):
            mine.set_hearing(hearing=hearing_)
        at_once = [watcher._woken.is_set() for watcher in many]
        waiting = Counter(mine._to_wake)

        assert await woken(*many) == [True] * 120
    assert at_once == [True] * 120
    assert (waiting.total(), set(waiting.values())) == (70, {1})


async def test_a_unit_of_work_tells_after_its_commit_and_never_without_one(
    own_redis: OwnRedis, principal: Principal
) -> None:
    one = new_id()
    async with open_live(own_redis):
        with (
            watching(principal.practice_id, "sign_in", one) as watcher,
            watching(principal.practice_id, "events", principal.practice_id) as of_events,
        ):
            with pytest.raises(ValueError, match="undone"):
                await change_and_fail(principal, one)
            assert await asleep(watcher)

            async with unit_of_work(principal) as work:
                work.hint("sign_in", one)
                work.hint("sign_in", one)
                assert await asleep(watcher)
            assert await woken(watcher) == [True]
            assert await asleep(of_events)

            await create_client(principal, NewClient(name="New"))
            assert await woken(of_events) == [True]


async def change_and_fail(principal: Principal, one: UUID) -> None:
    async with unit_of_work(principal) as work:
        work.hint("sign_in", one)
        raise ValueError("undone")


async def test_a_change_succeeds_while_redis_is_away(own_redis: OwnRedis, principal: Principal) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(open_live(own_redis))
        own_redis.kill()

        created = await create_client(principal, NewClient(name="Without Redis"))

    assert created.name == "Without Redis"


@pytest.mark.usefixtures("opened")
async def test_a_hint_of_the_system_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="belongs to one practice"):
        async with system_work() as work:
            work.hint("sign_in", new_id())
