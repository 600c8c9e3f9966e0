"""An app's month: counted by days, in few bytes, and as much of it left after Redis was wiped as before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from redis.asyncio import Redis

from tests.quota.conftest import Bench, Kept, app_of
from tests.quota.limits import a_minute, a_month, call, passed
from tests.support import polling
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.own_redis import OwnRedis
from tieline import clock
from tieline.errors import QuotaSpent, Unavailable
from tieline.ids import new_id
from tieline.plugins.limits import MONTH
from tieline.quota import Counted, KeptInRows, Meter
from tieline.sweeps.actors import prune_meters

DAY, LATE, NO_TIME = timedelta(days=1), timedelta(seconds=5), timedelta(0)


@pytest.fixture
async def rows(deployment: Deployment, firm: Firm) -> KeptInRows:
    return KeptInRows(firm.practice_id, await app_of(deployment, firm))


@pytest.fixture
async def own(own_redis: OwnRedis) -> AsyncIterator[Bench]:
    """A bench whose Redis may be wiped."""
    async with Redis.from_url(own_redis.url) as redis:
        made = Bench(redis=redis, meter=Meter(provider="pretend", client_id=str(new_id())))
        yield made
        for quota in made.made:
            await quota.close()


def spent(calls: int, *, day: date) -> Counted:
    return Counted(organisation=None, limit="month", day=day, calls=calls)


def come_noon(bench: Bench) -> datetime:
    """Move the calendar there: to this day's or the next one's."""
    noon = datetime.combine(today(), time(12), UTC)
    noon += DAY * (noon < clock.now())
    bench.offset = noon - clock.now()
    return noon


def today() -> date:
    return clock.now().astimezone(UTC).date()


async def test_a_month_is_as_spent_as_before_when_redis_was_wiped_and_all_who_counted_have_ended(
    own: Bench, rows: KeptInRows
) -> None:
    ended = own.quota()
    assert await passed(own.gate(a_month(10), quota=ended, lasting=rows), 7) == 7
    await ended.close()

    await own.redis.flushdb()

    assert await passed(own.gate(a_month(10), lasting=rows), 10) == 3


async def test_what_was_counted_half_a_minute_ago_is_known_when_redis_is_wiped_and_a_process_was_killed(
    own: Bench, rows: KeptInRows
) -> None:
    killed = own.quota(every=NO_TIME)
    assert await passed(own.gate(a_month(10), quota=killed, lasting=rows), 7) == 7

    async def written() -> bool:
        return sum(each.calls for each in await rows.counted()) == 7

    await polling.until(written, "all was written")
    await own.redis.flushdb()

    assert await passed(own.gate(a_month(10), lasting=rows), 10) == 3


async def test_a_process_that_goes_on_tells_a_wiped_redis_what_it_has_not_written_yet(bench: Bench) -> None:
    kept = Kept()
    gate = bench.gate(a_month(10), lasting=kept, patience=5)
    assert await passed(gate, 7) == 7
    assert sum(each.calls for each in kept.days) < 7

    await bench.wipe()

    assert await passed(gate, 10) == 3


async def test_many_calls_are_written_at_once(bench: Bench) -> None:
    come_noon(bench)
    kept, process = Kept(), bench.quota()

    assert await passed(bench.gate(a_month(500), quota=process, lasting=kept), 60) == 60
    await process.close()

    assert kept.writes == 2, "the first call, and what was left at the end"
    assert kept.days[-1].calls == 60


async def test_what_could_not_be_written_is_written_with_the_next(bench: Bench) -> None:
    class Away(Kept):
        async def count(self, days: Sequence[Counted]) -> None:
            if not self.writes:
                self.writes = 1
                raise Unavailable
            await super().count(days)

    come_noon(bench)
    kept, process = Away(), bench.quota(every=NO_TIME)

    assert await passed(bench.gate(a_month(10), quota=process, lasting=kept), 3) == 3
    await process.close()

    assert max(each.calls for each in kept.days) == 3


async def test_a_month_that_is_spent_waits_for_the_day_that_leaves_it_and_gives_back_that_days_calls(
    bench: Bench, still: datetime
) -> None:
    noon = come_noon(bench)
    gate = bench.gate(a_month(3), a_minute(50))
    assert await passed(gate, 2) == 2
    bench.offset += DAY
    assert await passed(gate, 3, "b") == 1

    with pytest.raises(QuotaSpent, match="'month'") as refused:
        await call(gate)

    leaves = datetime.combine(noon.date() + DAY, time(0), UTC) + MONTH + LATE
    assert refused.value.resume_at == leaves
    bench.offset = leaves - still - timedelta(seconds=2)
    assert await passed(gate, 1) == 0
    bench.offset += timedelta(seconds=4)
    assert await passed(gate, 3) == 2


async def test_half_a_million_calls_of_a_month_take_redis_some_hundred_bytes(bench: Bench) -> None:
    noon = come_noon(bench).date()
    kept = Kept(days=[spent(16_129, day=noon - ago * DAY) for ago in range(1, 32)])
    gate = bench.gate(a_month(500_000), lasting=kept)

    assert await passed(gate, 5) == 1

    key = bench.meter.month("month", None)
    assert await bench.redis.hlen(key) == 32
    assert 0 < (await bench.redis.memory_usage(key) or 0) < 1_000


async def test_days_that_have_left_the_window_go_from_redis_and_count_no_more(bench: Bench) -> None:
    noon = come_noon(bench).date()
    kept = Kept(days=[spent(calls, day=noon - ago * DAY) for ago, calls in ((40, 5), (32, 5), (31, 3))])

    assert await passed(bench.gate(a_month(10), lasting=kept), 10) == 7

    assert await bench.redis.hlen(bench.meter.month("month", None)) == 2


async def test_what_an_answer_says_is_left_of_a_month_holds_where_it_is_less(bench: Bench) -> None:
    gate = bench.gate(a_month(100))

    await call(gate, month=2)
    await call(gate, month=90)

    assert await passed(gate, 5) == 1


async def test_while_redis_is_away_each_process_keeps_to_a_quarter_of_the_month(away: Bench) -> None:
    assert await passed(away.gate(a_month(40)), 40) == 10


async def test_of_each_day_the_greatest_count_is_kept_and_other_practices_see_none(
    rows: KeptInRows, other_firm: Firm
) -> None:
    others, day = KeptInRows(other_firm.practice_id, rows.app_id), today()
    before = day - DAY

    await rows.count([spent(7, day=before), spent(5, day=day)])
    await rows.count([spent(6, day=before), spent(9, day=day)])
    await others.count([spent(50, day=day)])

    assert sorted(await rows.counted(), key=lambda each: each.day) == [
        spent(7, day=before),
        spent(9, day=day),
    ]
    assert await others.counted() == []


async def test_days_are_forgotten_when_they_can_count_no_more(
    bench: Bench, rows: KeptInRows, deployment: Deployment, clock: Callable[[timedelta], Awaitable[None]]
) -> None:
    day = come_noon(bench).date()
    await clock(bench.offset)
    await rows.count([spent(1, day=day - ago * DAY) for ago in (0, 31, 32, 33, 34, 60)])

    await prune_meters.function()

    connection = await deployment.connect()
    kept = await connection.fetch("SELECT day FROM quota_meter WHERE provider_app_id = $1", rows.app_id)
    await connection.close()
    assert sorted(day - each["day"] for each in kept) == [0 * DAY, 31 * DAY, 32 * DAY, 33 * DAY]
