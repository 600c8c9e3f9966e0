"""A limit that is spent: the run pauses, says so, and goes on where it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from tests.support.jobs import calendar
from tests.sync.scripted import Reading, Script, page, record
from tieline.errors import (
    LimitScope,
    ProviderUnavailable,
    QuotaSpent,
    Throttled,
)
from tieline.sync.runs import RunState
from tieline.work import Again

Clock = Callable[[timedelta], Awaitable[None]]
HOUR = timedelta(hours=1)


async def spent(limit: str = "day", wait: timedelta = HOUR) -> QuotaSpent:
    return QuotaSpent("pretend", limit=limit, resume_at=await calendar() + wait)


async def test_a_spent_limit_pauses_the_run_which_then_goes_on_where_it_was(
    client: Reading, script: Script, clock: Clock
) -> None:
    error = await spent()
    script.answers = {
        ("accounts", None): page(record("a"), cursor="1"),
        ("accounts", "1"): [error, page(record("b"), cursor="2", last=True)],
    }

    again = await client.slice()

    assert again == Again(error.resume_at)
    run = await client.run()
    assert (run.state, run.limit_name, run.resume_at) == (RunState.PAUSED, "day", error.resume_at)
    assert run.message == (
        "The limit 'day' of Pretend is spent. 0 of 2 parts are read, and it goes on from there by itself."
    )
    assert (run.feeds[0].pages, run.feeds[0].calls) == (1, 2)
    [(kind, told)] = await client.books.events()
    assert (kind, told["limit"], told["run_id"]) == ("SYNC_PAUSED", "day", str(run.id))
    assert datetime.fromisoformat(told["resume_at"]) == error.resume_at

    await clock(HOUR)
    assert await client.slice() is None
    over = await client.run()
    assert (over.id, over.state, over.limit_name, over.resume_at) == (run.id, RunState.SUCCEEDED, None, None)
    assert over.feeds[0].calls == 3
    assert script.asked[:3] == [("accounts", None), ("accounts", "1"), ("accounts", "1")]
    assert await client.ids() == ["a", "b"]


async def test_one_limit_is_told_of_once_with_the_first_long_wait_whatever_pages_come_through(
    client: Reading, script: Script
) -> None:
    short = await spent("day", timedelta(minutes=4))
    script.answers = {
        ("accounts", None): [short, await spent(), await spent(), page(record("a"), cursor="1")],
        ("accounts", "1"): [await spent(), page(record("b"), cursor="2", last=True)],
    }

    kinds = []
    while await client.slice() is not None:
        kinds.append(await client.books.kinds())

    assert kinds == [[], ["SYNC_PAUSED"], [], []]


async def test_a_limit_that_a_provider_names_without_a_gate_pauses_too(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = Throttled(
        "pretend", limit="x" * 50, scope=LimitScope.APP, retry_after=None
    )

    again = await client.slice()

    run = await client.run()
    assert (run.state, run.limit_name) == (RunState.PAUSED, "x" * 32)
    assert str(run.message).startswith(f"The limit '{'x' * 50}' of Pretend is spent. 0 of 2 parts are read")
    assert again is not None
    assert run.resume_at == again.at


async def test_slices_that_call_and_call_without_a_page_are_ended(client: Reading, script: Script) -> None:
    script.calls_a_page = 50
    script.answers["accounts", None] = await spent()

    states = []
    for _ in range(3):
        await client.slice()
        states.append((await client.run()).state)

    assert states == [RunState.PAUSED, RunState.PAUSED, RunState.FAILED]
    assert (await client.run()).reason == "STALLED"
    assert (await client.run()).message == "Reading goes round without getting anywhere, so it was stopped."
    assert (await client.run()).feeds[0].calls == 150


async def test_single_calls_that_find_the_day_still_spent_may_go_on_for_long(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = await spent()

    for _ in range(6):
        await client.slice()

    assert (await client.run()).state is RunState.PAUSED


async def test_a_day_of_a_spent_limit_is_no_day_of_trouble(
    client: Reading, script: Script, clock: Clock
) -> None:
    trouble = ProviderUnavailable("pretend")
    script.answers["accounts", None] = [trouble, await spent(wait=25 * HOUR), trouble, page(record("a"))]

    for wait in (HOUR, 25 * HOUR, HOUR):
        assert await client.slice() is not None
        await clock(wait)

    assert await client.slice() is None
    assert (await client.run()).state is RunState.SUCCEEDED
