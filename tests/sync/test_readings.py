"""When feeds are read again: each as often as it asks for, and now and then from its beginning."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from tests.support.jobs import calendar
from tests.sync.scripted import ACCOUNTS, RATES, Reading, Script, every, page, record
from tieline.errors import QuotaSpent
from tieline.ids import OrganisationId, new_id
from tieline.plugins import SetAside
from tieline.sync.feeds.repository import FeedPlace
from tieline.sync.feeds.times import is_due, is_full_read_due
from tieline.sync.plan import begin
from tieline.sync.runs import RunState
from tieline.sync.service import sync
from tieline.work import Lane

Clock = Callable[[timedelta], Awaitable[None]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 5, 4, tzinfo=UTC)
BAD = SetAside(dataset="accounts", external_id="bad", why="Its date is no date.")

pytestmark = pytest.mark.usefixtures("jobs")


async def full_read_at(client: Reading) -> datetime | None:
    at: datetime | None = await client.books.sql.fetchval(
        "SELECT full_read_at FROM feed_cursor WHERE organisation_id = $1 AND feed = 'accounts'",
        client.organisation_id,
    )
    return at


async def test_a_feed_that_was_read_lately_is_left_out_until_its_time_has_come(
    client: Reading, script: Script, clock: Clock
) -> None:
    every(script, rates=3 * DAY)
    await client.slice()
    read = []
    for _ in range(4):
        script.asked.clear()
        await clock(1.11 * DAY)
        run = await client.by_schedule()
        read.append(run.wanted)
        assert [feed for feed, _ in script.asked] == list(run.wanted)
        assert run.state is RunState.SUCCEEDED

    # Three days less a tenth have gone by on the third day.
    assert read == [("accounts",), ("accounts",), ("accounts", "rates"), ("accounts",)]


async def test_whoever_asks_by_hand_gets_everything(client: Reading, script: Script, clock: Clock) -> None:
    every(script, accounts=9 * DAY, rates=9 * DAY)
    await client.slice()

    assert (await client.again()).wanted == ("accounts", "rates")

    script.answers["accounts", "end"] = page(record("a"), cursor="1")
    every(script, rates=9 * DAY)
    await clock(1.2 * DAY)
    run_id = await client.queued()
    await client.slice(run_id, seconds=0)
    assert (await client.run(run_id)).wanted == ("accounts",)
    assert (await sync(client.books.admin, client.connection.id)).id == run_id
    await client.slice(run_id)
    run = await client.run(run_id)
    assert [(each.feed, each.pages) for each in run.feeds] == [("accounts", 2), ("rates", 1)]


async def test_a_run_in_slices_still_tells_of_the_feeds_that_it_has_read(
    client: Reading, clock: Clock
) -> None:
    await client.slice()
    await clock(1.2 * DAY)
    run_id = await client.queued()

    while await client.slice(run_id, seconds=0) is not None:
        pass

    assert [(each.feed, each.pages) for each in (await client.run(run_id)).feeds] == [
        ("accounts", 1),
        ("rates", 1),
    ]


async def test_a_run_with_nothing_to_read_succeeds_at_once(
    client: Reading, script: Script, clock: Clock
) -> None:
    await client.slice()
    before = await client.organisation()
    every(script, accounts=9 * DAY, rates=9 * DAY)
    script.asked.clear()
    await clock(1.2 * DAY)
    run_id = await client.queued()
    await begin(client.books.practice_id, run_id)  # a worker that was killed then

    await client.slice(run_id)

    run = await client.run(run_id)
    assert (run.state, run.feeds, script.asked) == (RunState.SUCCEEDED, (), [])
    organisation = await client.organisation()
    assert organisation["last_synced_at"] == before["last_synced_at"]
    assert organisation["next_sync_at"] > before["next_sync_at"] + 0.8 * DAY


async def test_after_a_failure_only_what_was_not_read_is_tried_again(
    client: Reading, script: Script, clock: Clock
) -> None:
    every(script, accounts=DAY, rates=DAY)
    await client.slice()
    await clock(1.2 * DAY)
    script.answers["rates", None] = ValueError("broken")
    failed = await client.by_schedule()
    script.answers.clear()
    script.asked.clear()

    await clock(1.2 * HOUR)
    run = await client.by_schedule()

    assert (failed.state, run.state) == (RunState.FAILED, RunState.SUCCEEDED)
    assert script.asked == [("rates", None)]


@pytest.mark.parametrize("cut_short_at", ["accounts", "rates"])
async def test_what_was_broken_off_is_due_whenever_it_was_last_asked(
    client: Reading, script: Script, clock: Clock, cut_short_at: str
) -> None:
    every(script, accounts=DAY, rates=DAY)
    await client.slice()
    await clock(1.2 * DAY)
    start = "end" if cut_short_at == "accounts" else None
    script.answers[cut_short_at, start] = page(record("a", cut_short_at), cursor="1")
    script.answers[cut_short_at, "1"] = ValueError("broken")
    await client.by_schedule()
    script.asked.clear()

    await clock(1.2 * HOUR)
    await client.by_schedule()

    assert (cut_short_at, "1" if cut_short_at == "accounts" else None) in script.asked


@pytest.mark.parametrize(
    ("place", "due"),
    [
        (FeedPlace(), True),
        (FeedPlace(read_at=NOW, full_read_at=None), True),
        (FeedPlace(read_at=NOW - 0.9 * DAY, full_read_at=NOW - 9 * DAY), True),
        (FeedPlace(read_at=NOW - 0.89 * DAY, full_read_at=NOW - 9 * DAY), False),
    ],
)
def test_a_tenth_earlier_is_not_too_early(place: FeedPlace, *, due: bool) -> None:
    assert is_due(replace(ACCOUNTS, every=DAY), place, at=NOW) is due


async def test_a_month_later_everything_is_read_and_what_changed_unseen_is_found(
    client: Reading, script: Script, clock: Clock
) -> None:
    script.answers["accounts", None] = page(record("a"), record("b"), record("c"), cursor="1", last=True)
    await client.slice()
    before, first_at = await client.records(), await full_read_at(client)
    assert first_at is not None
    script.answers["accounts", "1"] = page(cursor="1", last=True)
    script.answers["accounts", None] = page(record("a"), record("b", name="Other"), cursor="9", last=True)

    await clock(15 * DAY)
    await client.by_schedule()
    assert (await client.ids(), await full_read_at(client)) == (["a", "b", "c"], first_at)
    await clock(16 * DAY)
    run = await client.by_schedule()

    after = await client.records()
    assert [(each.records, each.changed) for each in run.feeds] == [(2, 1), (0, 0)]
    assert after["accounts", "b"]["name"] == "Other"
    assert after["accounts", "a"] == before["accounts", "a"] | {"generation": 2}
    assert after["accounts", "c"] == before["accounts", "c"]
    assert (await client.cursors())["accounts"] == "9"
    assert (await full_read_at(client) or first_at) > first_at + 30 * DAY
    script.asked.clear()
    await clock(1.2 * DAY)
    await client.by_schedule()
    assert ("accounts", "9") in script.asked


async def test_nobody_waits_for_a_full_reading_until_it_is_long_overdue(
    client: Reading, script: Script, clock: Clock
) -> None:
    await client.slice()
    asked = []
    for days in (44, 2, 31):
        await clock(days * DAY)
        script.asked.clear()
        await client.again()
        asked.append([cursor for feed, cursor in script.asked if feed == "accounts"])

    assert asked == [["end"], ["end", None], ["end"]]


async def test_what_was_deleted_since_is_heard_of_before_everything_is_read(
    client: Reading, script: Script, clock: Clock
) -> None:
    script.answers["accounts", None] = page(record("a"), record("b"), record("c"), cursor="1", last=True)
    await client.slice()
    script.answers = {
        ("accounts", "1"): page(gone=[("accounts", "a")], cursor="2"),
        ("accounts", "2"): page(record("d"), gone=[("accounts", "b")], cursor="3", last=True),
        ("accounts", None): page(record("c"), record("d"), cursor="9", last=True),
    }
    await clock(31 * DAY)
    script.asked.clear()

    run = await client.by_schedule()

    assert script.asked == [("accounts", "1"), ("accounts", "2"), ("accounts", None), ("rates", None)]
    assert (run.state, await client.ids()) == (RunState.SUCCEEDED, ["c", "d"])
    assert (await client.cursors())["accounts"] == "9"


async def test_what_was_set_aside_is_told_of_until_everything_was_read(
    client: Reading, script: Script, clock: Clock
) -> None:
    gone = replace(BAD, external_id="gone")
    script.answers["accounts", None] = page(record("a"), set_aside=[BAD, gone], cursor="1", last=True)
    await client.slice()
    await clock(8 * DAY)
    spent = QuotaSpent("pretend", limit="day", resume_at=await calendar() + 20 * HOUR)
    script.answers = {
        ("accounts", None): [spent, page(record("a"), set_aside=[BAD], cursor="2")],
        ("accounts", "2"): [ValueError("broken"), page(record("b"), cursor="3", last=True)],
    }

    told = []
    paused = await client.by_schedule()
    told.append((paused.state, sorted(key for _, key in await client.aside())))
    await clock(DAY)
    await client.slice(paused.id)
    told.append(((await client.run(paused.id)).state, sorted(key for _, key in await client.aside())))
    told.append(((await client.again()).state, sorted(key for _, key in await client.aside())))

    assert told == [
        (RunState.PAUSED, ["bad", "gone"]),
        (RunState.FAILED, ["bad", "gone"]),
        (RunState.SUCCEEDED, ["bad"]),
    ]


async def test_a_reading_that_was_begun_is_gone_on_with_whatever_has_become_due_meanwhile(
    client: Reading, script: Script, clock: Clock
) -> None:
    await client.slice()
    script.answers["accounts", "end"] = page(record("a"), cursor="1")
    await clock(15 * DAY)
    run_id = await client.queued()
    await client.slice(run_id, seconds=0)
    script.asked.clear()

    await clock(20 * DAY)
    await client.slice(run_id)

    assert script.asked == [("accounts", "1"), ("accounts", None), ("rates", None)]
    assert [each.done for each in (await client.run(run_id)).feeds] == [True, True]


async def test_a_full_reading_that_is_cut_short_goes_on_in_whatever_run_comes_next(
    client: Reading, script: Script, clock: Clock
) -> None:
    await client.slice()
    await clock(31 * DAY)
    script.answers = {
        ("accounts", None): page(record("a"), cursor="1"),
        ("accounts", "1"): [QuotaSpent("pretend", limit="day", resume_at=NOW), page(record("b"), cursor="2")],
        ("accounts", "2"): [ValueError("broken"), page(record("c"), cursor="3", last=True)],
    }
    run_id = await client.queued()
    script.asked.clear()

    await client.slice(run_id, seconds=0)
    await begin(client.books.practice_id, run_id)  # a worker that was killed before its first page
    await client.slice(run_id, seconds=0)
    await client.slice(run_id)
    paused = await client.run(run_id)
    await client.slice(run_id)
    failed = await client.run(run_id)
    during = await full_read_at(client)
    run = await client.again()

    assert (paused.state, failed.state) == (RunState.PAUSED, RunState.FAILED)
    assert script.asked == [
        ("accounts", "end"),
        ("accounts", None),
        ("accounts", "1"),
        ("accounts", "1"),
        ("accounts", "2"),
        ("accounts", "2"),
        ("rates", None),
    ]
    assert await client.ids() == ["a", "b", "c"]
    assert (during, run.state) == (None, RunState.SUCCEEDED)
    assert await full_read_at(client) is not None
    assert (await client.cursors())["accounts"] == "3"


async def test_a_week_later_what_was_set_aside_gets_another_chance(
    client: Reading, script: Script, clock: Clock
) -> None:
    gone = replace(BAD, external_id="gone")
    script.answers["accounts", None] = page(record("a"), set_aside=[BAD, gone], cursor="1", last=True)
    await client.slice()
    script.answers["accounts", None] = [
        page(record("a"), set_aside=[BAD], cursor="1", last=True),
        page(record("a"), record("bad"), cursor="1", last=True),
    ]
    seen = []
    for days in (4, 4, 4, 4, 8):
        await clock(days * DAY)
        await client.by_schedule()
        seen.append((script.asked.count(("accounts", None)), sorted(key for _, key in await client.aside())))

    assert seen == [
        (1, ["bad", "gone"]),
        (2, ["bad"]),
        (2, ["bad"]),
        (3, []),
        (3, []),
    ]
    assert await client.ids() == ["a", "bad"]


@pytest.mark.parametrize(
    ("place", "days"),
    [
        (FeedPlace(full_read_at=NOW), 45),
        (FeedPlace(full_read_at=NOW, set_aside_at=NOW), 10.5),
        (FeedPlace(full_read_at=NOW, set_aside_at=NOW + 2 * DAY), 12.5),
        (FeedPlace(full_read_at=NOW + 2 * DAY, set_aside_at=NOW), 12.5),
    ],
)
@pytest.mark.parametrize("lane", [Lane.INTERACTIVE, Lane.FIRST])
def test_it_is_overdue_by_half_before_another_lane_does_it(place: FeedPlace, days: float, lane: Lane) -> None:
    organisation_id, due = OrganisationId(new_id()), NOW + days * DAY

    assert not is_full_read_due(organisation_id, ACCOUNTS, place, lane=lane, at=due - HOUR)
    assert is_full_read_due(organisation_id, ACCOUNTS, place, lane=lane, at=due)


def test_a_feed_that_asks_for_less_is_read_whole_as_often_as_it_says() -> None:
    weekly = replace(ACCOUNTS, whole_every=7 * DAY)
    organisation_id, place = OrganisationId(new_id()), FeedPlace(full_read_at=NOW)

    def due(days: float, lane: Lane) -> bool:
        return is_full_read_due(organisation_id, weekly, place, lane=lane, at=NOW + days * DAY)

    assert [due(days, Lane.BACKGROUND) for days in (4.6, 7)] == [False, True]
    assert [due(days, Lane.INTERACTIVE) for days in (10, 10.5)] == [False, True]


def test_what_was_connected_in_one_night_is_not_read_whole_in_one_night() -> None:
    draws = random.Random(5_000)  # noqa: S311 - the same each time: else one night might have too many by chance
    organisations = [OrganisationId(UUID(int=draws.getrandbits(128))) for _ in range(5_000)]
    place = FeedPlace(read_at=NOW, full_read_at=NOW)

    def due(day: float) -> int:
        at = NOW + day * DAY
        return sum(
            is_full_read_due(each, ACCOUNTS, place, lane=Lane.BACKGROUND, at=at) for each in organisations
        )

    by_night = [due(night) for night in range(20, 31)]
    assert (by_night[0], by_night[-1]) == (0, 5_000)
    assert all(400 < after - before < 600 for before, after in pairwise(by_night))
    later = NOW + 25 * DAY
    half = [
        each
        for each in organisations
        if is_full_read_due(each, ACCOUNTS, place, lane=Lane.BACKGROUND, at=later)
    ]
    other = replace(ACCOUNTS, name="contacts")
    same = sum(is_full_read_due(each, other, place, lane=Lane.BACKGROUND, at=later) for each in half)
    assert 0.4 < same / len(half) < 0.6
    assert not is_full_read_due(organisations[0], RATES, place, lane=Lane.BACKGROUND, at=NOW + 99 * DAY)
