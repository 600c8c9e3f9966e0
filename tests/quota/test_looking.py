"""Looking at a quota: what people see of each kind of limit, and that nothing is changed by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from tests.quota.conftest import Bench
from tests.quota.limits import a_day, a_minute, a_month, at_once, call, passed, throttled
from tests.support.own_redis import OwnRedis
from tieline import clock
from tieline.errors import LimitScope, QuotaSpent
from tieline.ids import new_id
from tieline.plugins.limits import Limit
from tieline.quota import RESERVE, Call, Counted, LimitTold, Meter, Quota, QuotaTold, Source, script, tell
from tieline.work.actor import Lane

LIMITS = (at_once(5), a_minute(60), a_day(1_000), a_minute(10_000, scope=LimitScope.APP), a_month(40))
HOUR = timedelta(hours=1)


def looking(bench: Bench, *limits: Limit, organisation: str | None = "a") -> Call:
    return Call.of(bench.meter, organisation, limits, reserve=RESERVE)


async def told(
    bench: Bench,
    quota: Quota,
    *limits: Limit,
    organisation: str | None = "a",
    days: list[Counted] | None = None,
) -> QuotaTold:
    """What people would be told, by the figures of this quota and these kept days."""
    wanted = looking(bench, *limits, organisation=organisation)
    (looked,) = await quota.look([wanted])
    return tell(wanted, looked, blocks=(), days=days or (), at=clock.now() + bench.offset)


def by_name(told: QuotaTold) -> dict[str, LimitTold]:
    return {limit.name: limit for limit in told.limits}


def figures(told: QuotaTold) -> dict[str, tuple[int | None, int | None]]:
    """Used and left, by limit."""
    return {limit.name: (limit.used, limit.left) for limit in told.limits}


async def test_what_is_used_and_left_of_each_limit_is_seen_while_a_call_is_under_way(bench: Bench) -> None:
    quota = bench.quota()
    gate = bench.gate(*LIMITS, quota=quota)
    await call(gate, "a", day=700)
    await call(gate, "b")

    async with gate.call("a"):
        meanwhile = await told(bench, quota, *LIMITS)
    after = await told(bench, quota, *LIMITS)

    assert figures(meanwhile) == {
        "concurrent": (1, 4),
        "minute": (2, 58),
        "day": (301, 699),
        "app_minute": (3, 9_997),
        "month": (3, 37),
    }
    assert figures(after) == figures(meanwhile) | {"concurrent": (0, 5)}
    assert {limit.name: limit.reserve for limit in after.limits if limit.reserve} == {"day": 100, "month": 4}
    assert (after.source, after.blocked_by, after.blocked_until) == (Source.LIVE, None, None)
    day = by_name(after)["day"]
    assert day.told_at is not None
    assert day.told_at <= after.as_of
    assert day.resets_at is None


async def test_looking_changes_nothing_not_even_what_is_over(bench: Bench) -> None:
    quota = bench.quota()
    gate = bench.gate(*LIMITS, quota=quota)
    await call(gate, "a", throttled("minute", 1), day=50)
    await call(gate, "b", day=700)
    bench.offset = timedelta(days=40)

    async def all_of_it() -> dict[str, bytes | None]:
        keys = await bench.redis.keys(f"{bench.meter.prefix}*")
        return {str(key): await bench.redis.dump(key) for key in keys}

    before = await all_of_it()
    seen = [await told(bench, quota, *LIMITS, organisation=whose) for whose in ("a", "b", "new", None)]

    assert len(before) == 8
    assert await all_of_it() == before
    assert [figures(each)["month"] for each in seen] == [(0, 40)] * 4
    assert all(limit.blocked_until is None for each in seen for limit in each.limits)


async def test_a_day_that_is_spent_for_syncs_says_when_the_next_call_looks_again(bench: Bench) -> None:
    quota = bench.quota()
    background = bench.gate(a_day(1_000), quota=quota, lane=Lane.BACKGROUND)
    await call(background, day=100)

    with pytest.raises(QuotaSpent, match="'day'") as spent:
        await call(background)

    day = by_name(await told(bench, quota, a_day(1_000)))["day"]
    assert (day.left, day.used, day.reserve) == (100, 900, 100)
    assert day.looks_again_at == spent.value.resume_at
    assert day.blocked_until is None


async def test_where_people_and_syncs_look_again_at_other_times_that_of_the_syncs_is_shown(
    bench: Bench,
) -> None:
    quota = bench.quota()
    people = bench.gate(a_day(1_000), quota=quota)
    background = bench.gate(a_day(1_000), quota=quota, lane=Lane.BACKGROUND)
    await call(people, day=0)
    for_people = by_name(await told(bench, quota, a_day(1_000)))["day"].looks_again_at
    bench.offset += timedelta(minutes=10)
    await call(background, day=0)

    with pytest.raises(QuotaSpent) as people_wait:
        await call(people)
    with pytest.raises(QuotaSpent) as syncs_wait:
        await call(background)

    assert for_people == people_wait.value.resume_at < syncs_wait.value.resume_at
    assert by_name(await told(bench, quota, a_day(1_000)))["day"].looks_again_at == syncs_wait.value.resume_at


async def test_a_refusal_says_until_when_no_call_passes_and_because_of_which_limit(bench: Bench) -> None:
    quota = bench.quota()
    gate = bench.gate(*LIMITS, quota=quota)
    await call(gate, "a", throttled("day", 7_200))
    await call(gate, "a2", throttled("app_minute", 60, LimitScope.APP))

    with pytest.raises(QuotaSpent) as spent:
        await call(gate, "a")

    seen = await told(bench, quota, *LIMITS)
    other = await told(bench, quota, *LIMITS, organisation="b")
    assert (seen.blocked_by, seen.blocked_until) == ("day", spent.value.resume_at)
    assert by_name(seen)["day"].blocked_until == spent.value.resume_at
    assert figures(seen)["day"] == (1_000, 0)
    assert other.blocked_by == "app_minute"
    assert by_name(other)["app_minute"].blocked_until == other.blocked_until
    assert by_name(other)["day"].blocked_until is None


async def test_a_month_says_when_syncs_have_another_call(bench: Bench) -> None:
    quota, limit = bench.quota(), a_month(40)
    await passed(bench.gate(limit, quota=quota), 3)
    first = by_name(await told(bench, quota, limit))["month"]
    bench.offset = timedelta(days=1)
    await passed(bench.gate(limit, quota=quota), 33)
    background = bench.gate(limit, quota=quota, lane=Lane.BACKGROUND)

    with pytest.raises(QuotaSpent) as spent:
        await call(background)

    month = by_name(await told(bench, quota, limit))["month"]
    assert (first.used, first.left) == (3, 37)
    assert (month.used, month.left, month.reserve) == (36, 4, 4)
    assert month.resets_at == spent.value.resume_at == first.resets_at


async def test_of_a_day_that_no_answer_told_of_nobody_knows_what_is_left_unless_it_was_refused(
    bench: Bench,
) -> None:
    quota = bench.quota()
    gate = bench.gate(a_day(1_000), quota=quota)
    await passed(gate, 5)
    await call(gate, "refused", throttled("day", 60))

    untold = await told(bench, quota, a_day(1_000))
    refused = await told(bench, quota, a_day(1_000), organisation="refused")

    assert figures(untold) == {"day": (None, None)}
    assert figures(refused) == {"day": (1_000, 0)}


async def test_without_redis_the_months_are_told_by_the_days_that_are_kept_as_redis_would_tell_them(
    bench: Bench, away: Bench
) -> None:
    quota, limits = bench.quota(), (a_minute(60), a_day(1_000), a_month(40))
    await passed(bench.gate(*limits, quota=quota), 7)
    today = (clock.now() + bench.offset).date()
    kept = [Counted(organisation=None, limit="month", day=today, calls=7)]
    too_old = [Counted(organisation=None, limit="month", day=today - timedelta(days=33), calls=9)]

    live = await told(bench, quota, *limits)
    stored = await told(away, away.quota(), *limits, days=kept + too_old)

    assert stored.source is Source.STORED
    assert figures(stored) == {"minute": (None, None), "day": (None, None), "month": (7, 33)}
    assert by_name(stored)["month"] == by_name(live)["month"]


async def test_what_is_kept_counts_where_redis_knows_less_of_a_month(bench: Bench) -> None:
    quota = bench.quota()
    await passed(bench.gate(a_month(40), quota=quota), 2)
    kept = [Counted(organisation=None, limit="month", day=(clock.now() + bench.offset).date(), calls=30)]

    seen = await told(bench, quota, a_month(40), days=kept)

    assert (seen.source, figures(seen)) == (Source.LIVE, {"month": (30, 10)})


async def test_a_redis_that_forgot_or_says_nothing_is_told_of_as_unknown_and_then_left_alone(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Redis.from_url(own_redis.url) as redis:
        bench = Bench(redis=redis, meter=Meter(provider="pretend", client_id=str(new_id())))
        quota = bench.quota(rest=HOUR)
        await call(bench.gate(a_minute(60), quota=quota))
        known = await quota.look([looking(bench, a_minute(60))])
        await redis.flushdb()

        forgotten = await quota.look([looking(bench, a_minute(60))])
        monkeypatch.setattr(script, "ANSWER_SECONDS", 1.0)
        own_redis.freeze()
        mute = [await quota.look([looking(bench, a_minute(60))] * 3) for _ in range(2)]
        own_redis.go_on()
        await quota.close()

    assert known[0] is not None
    assert forgotten == [None]
    assert mute == [[None] * 3] * 2
