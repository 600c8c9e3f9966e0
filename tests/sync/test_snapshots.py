"""Snapshots: what one did not show is gone, once it was read to its end and is believed."""

from __future__ import annotations

import pytest

from tests.sync.scripted import Reading, Script, page, record
from tieline.errors import ProviderUnavailable
from tieline.plugins import CursorTooOld, Page, SetAside
from tieline.sync.runs import RunState


def rates(*ids: str, cursor: str | None = None) -> Page:
    return page(*(record(each, "rates") for each in ids), cursor=cursor)


def many(number: int) -> list[str]:
    return [f"{each:03}" for each in range(number)]


async def test_an_unfinished_snapshot_deletes_nothing(client: Reading, script: Script) -> None:
    script.answers["rates", None] = rates("a", "b", "c")
    await client.slice()
    script.answers["rates", None] = rates("a", cursor="1")
    script.answers["rates", "1"] = ValueError("broken off")

    run = await client.again()

    assert run.state is RunState.FAILED
    assert await client.ids("rates") == ["a", "b", "c"]


async def test_another_run_does_not_go_on_with_a_snapshot_that_was_broken_off(
    client: Reading, script: Script
) -> None:
    script.answers["rates", None] = rates("a", "b")
    await client.slice()
    script.answers["rates", None] = rates("a", cursor="1")
    script.answers["rates", "1"] = ValueError("broken off")
    await client.again()
    script.asked.clear()
    script.answers["rates", "1"] = rates("c")

    run = await client.again()

    assert run.state is RunState.SUCCEEDED
    assert script.asked == [("accounts", "end"), ("rates", None), ("rates", "1")]
    assert await client.ids("rates") == ["a", "c"]


async def test_a_snapshot_whose_cursor_is_too_old_begins_anew_even_if_the_work_breaks_off_there(
    client: Reading, script: Script
) -> None:
    script.answers["rates", None] = [rates("a", "b", "gone", cursor="1"), ProviderUnavailable("pretend")]
    script.answers["rates", "1"] = CursorTooOld()
    for _ in ("accounts", "rates", "rates, anew"):
        assert await client.slice(seconds=0) is not None
    assert script.asked[-2:] == [("rates", "1"), ("rates", None)]
    script.answers["rates", None] = rates("a", "b", "fresh")

    assert await client.slice() is None

    assert (await client.run()).state is RunState.SUCCEEDED
    assert await client.ids("rates") == ["a", "b", "fresh"]


async def test_a_snapshot_that_lost_more_than_half_is_read_again_before_it_is_believed(
    client: Reading, script: Script
) -> None:
    script.answers["rates", None] = rates(*many(30))
    await client.slice()
    script.asked.clear()
    script.answers["rates", None] = [rates(*many(10)), rates(*many(30))]

    run = await client.again()

    assert script.asked == [("accounts", "end"), ("rates", None), ("rates", None)]
    assert await client.ids("rates") == many(30)
    assert (run.feeds[1].pages, run.feeds[1].changed, run.feeds[1].calls) == (2, 0, 2)

    script.answers["rates", None] = rates(*many(10))
    run = await client.again()

    assert await client.ids("rates") == many(10)
    assert (run.feeds[1].pages, run.feeds[1].changed) == (2, 20)


async def test_the_second_reading_is_remembered_from_slice_to_slice(client: Reading, script: Script) -> None:
    script.answers["rates", None] = rates(*many(30))
    await client.slice()
    script.answers["rates", None] = rates()
    run_id = (await client.again()).id
    assert await client.ids("rates") == []

    script.answers["rates", None] = rates(*many(30))
    await client.again()
    script.answers["rates", None] = rates()
    script.asked.clear()
    queued = await client.again_in_slices()

    assert queued.id != run_id
    assert script.asked == [("accounts", "end"), ("rates", None), ("rates", None)]
    assert await client.ids("rates") == []


@pytest.mark.parametrize("count", [1, 10])
async def test_a_few_records_are_not_believed_to_be_gone_at_once_either(
    client: Reading, script: Script, count: int
) -> None:
    script.answers["rates", None] = rates(*many(count))
    await client.slice()
    script.asked.clear()
    script.answers["rates", None] = rates()

    await client.again_in_slices()

    assert await client.ids("rates") == []
    assert script.asked.count(("rates", None)) == 2


async def test_half_of_the_records_may_go_at_once(client: Reading, script: Script) -> None:
    script.answers["rates", None] = rates(*many(24))
    await client.slice()
    script.asked.clear()
    script.answers["rates", None] = rates(*many(12))

    await client.again()

    assert len(await client.ids("rates")) == 12
    assert script.asked.count(("rates", None)) == 1


async def test_a_record_that_moves_to_another_dataset_of_the_feed_is_in_that_one_only(
    client: Reading, script: Script
) -> None:
    script.answers["rates", None] = rates("a", "b")
    await client.slice()
    script.answers["rates", None] = page(record("a", "rates"), record("b", "groups"))

    await client.again()

    assert set(await client.records()) == {("rates", "a"), ("groups", "b")}


async def test_what_a_snapshot_shows_but_cannot_be_read_stays_as_it_was_read_last(
    client: Reading, script: Script
) -> None:
    script.answers["rates", None] = rates("a", "b")
    await client.slice()
    script.answers["rates", None] = page(
        record("a", "rates"), set_aside=[SetAside(dataset="rates", external_id="b", why="No percentage.")]
    )

    await client.again()

    assert await client.ids("rates") == ["a", "b"]
    assert await client.aside() == {("rates", "b"): "No percentage."}

    script.answers["rates", None] = rates("a")
    await client.again()

    assert await client.ids("rates") == ["a"]
    assert await client.aside() == {}


async def test_what_was_gone_and_is_shown_again_is_back(client: Reading, script: Script) -> None:
    script.answers["rates", None] = [rates("a", "b"), rates("a"), rates("a", "b")]
    await client.slice()
    await client.again()
    assert await client.ids("rates") == ["a"]

    run = await client.again()

    assert await client.ids("rates") == ["a", "b"]
    assert run.feeds[1].changed == 1
