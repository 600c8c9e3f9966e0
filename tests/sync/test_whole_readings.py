"""A reading of changes that shows everything: what it does not show is gone; a cursor that leads nowhere begins one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from tests.sync.scripted import Reading, Script, page, record
from tieline.errors import ProviderBroken
from tieline.plugins import CursorTooOld, Page, SetAside
from tieline.sync.runs import FailureReason, RunState

Clock: TypeAlias = Callable[[timedelta], Awaitable[None]]


def whole(*ids: str, cursor: str = "end", **more: Any) -> Page:
    """The last page of a reading that showed everything."""
    return replace(page(*map(record, ids), cursor=cursor, last=True), whole=True, **more)


async def full_read_at(client: Reading) -> Any:
    return await client.books.sql.fetchval(
        "SELECT full_read_at FROM feed_cursor WHERE organisation_id = $1 AND feed = 'accounts'",
        client.organisation_id,
    )


async def test_what_a_reading_of_everything_did_not_show_is_gone(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = whole("a", "b", "c")
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    script.answers["accounts", None] = whole("a", "c", "d", cursor="later")
    before = await full_read_at(client)

    run = await client.again()

    assert await full_read_at(client) > before

    assert await client.ids() == ["a", "c", "d"]
    assert run.state is RunState.SUCCEEDED
    assert run.feeds[0].changed == 2
    assert (await client.cursors())["accounts"] == "later"


async def test_so_it_is_where_it_was_only_time_for_it(client: Reading, script: Script, clock: Clock) -> None:
    script.answers["accounts", None] = whole("a", "b", "c")
    await client.slice()
    script.answers["accounts", None] = whole("a", "c", cursor="later")
    await clock(timedelta(days=31))

    run = await client.by_schedule()

    assert (run.state, await client.ids()) == (RunState.SUCCEEDED, ["a", "c"])


async def test_one_that_does_not_say_so_takes_nothing_away(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = whole("a", "b", "c")
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    script.answers["accounts", None] = page(record("a"), cursor="later", last=True)

    await client.again()

    assert await client.ids() == ["a", "b", "c"]


async def test_what_came_by_changes_since_is_looked_for_too(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = whole("a", "b")
    script.answers["accounts", "end"] = page(record("c"), record("d"), cursor="1", last=True)
    script.answers["accounts", "1"] = CursorTooOld()
    await client.slice()
    await client.again()
    assert await client.ids() == ["a", "b", "c", "d"]
    script.answers["accounts", None] = whole("a", "b", "d")

    await client.again()

    assert await client.ids() == ["a", "b", "d"]


async def test_a_reading_in_pages_counts_as_one_over_slices_and_runs(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = whole("a", "b", "c", "d")
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    script.answers["accounts", None] = page(record("a"), cursor="1")
    script.answers["accounts", "1"] = [ProviderBroken("pretend", "an answer"), page(record("b"), cursor="2")]
    script.answers["accounts", "2"] = whole("c")

    failed = await client.again()
    assert (failed.state, await client.ids()) == (RunState.FAILED, ["a", "b", "c", "d"])
    done = await client.again_in_slices()

    assert (done.state, await client.ids()) == (RunState.SUCCEEDED, ["a", "b", "c"])


async def test_one_that_lacks_more_than_half_is_read_again_before_it_is_believed(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = whole("a", "b", "c", "d", "e")
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    script.answers["accounts", None] = [whole("a"), whole("a", "b", "c", "d")]

    run = await client.again()

    assert (run.state, await client.ids()) == (RunState.SUCCEEDED, ["a", "b", "c", "d"])


async def test_it_is_read_again_in_the_next_slice_just_as_well(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = whole("a", "b", "c", "d")
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    script.answers["accounts", None] = whole("a", cursor="later")
    script.asked.clear()

    await client.again_in_slices()

    assert (await client.ids(), script.asked.count(("accounts", None))) == (["a"], 2)


async def test_what_it_shows_but_cannot_be_read_stays(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = whole("a", "b", "c")
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    aside = SetAside(dataset="accounts", external_id="b", why="No name.")
    script.answers["accounts", None] = whole("a", cursor="later", set_aside=(aside,))

    await client.again()

    assert await client.ids() == ["a", "b"]
    assert await client.aside() == {("accounts", "b"): "No name."}


async def test_what_was_set_aside_before_the_cursor_was_too_old_is_told_anew(
    client: Reading, script: Script
) -> None:
    aside = SetAside(dataset="accounts", external_id="b", why="No name.")
    script.answers["accounts", None] = whole("a", set_aside=(aside,))
    await client.slice()
    script.answers["accounts", "end"] = CursorTooOld()
    script.answers["accounts", None] = whole("a", cursor="later")

    await client.again()

    assert await client.aside() == {}


@pytest.mark.parametrize("cursor", [None, "1"])
async def test_a_plugin_that_gives_a_cursor_and_calls_it_too_old_misbehaves(
    client: Reading, script: Script, cursor: str | None
) -> None:
    script.answers["accounts", None] = page(record("a"), cursor="1")
    script.answers["accounts", cursor] = CursorTooOld()

    await client.slice()

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, FailureReason.PLUGIN)
    assert "finds its cursor too old amid its feed 'accounts'" in (run.message or "")
