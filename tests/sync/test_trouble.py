"""A provider in trouble, or that answers what nobody knows: asked again ever later, given up with a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.jobs import calendar
from tests.sync.scripted import Reading, Script, page, record
from tieline.errors import (
    NotAtProvider,
    ProviderBroken,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from tieline.sync.runs import RunState
from tieline.sync.service import sync
from tieline.work import Lane

Clock = Callable[[timedelta], Awaitable[None]]
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("error", [ProviderUnavailable("pretend"), ProviderMisconfigured("pretend")])
async def test_a_provider_in_trouble_is_asked_again_at_growing_pauses_for_a_day(
    client: Reading, script: Script, clock: Clock, error: Any
) -> None:
    script.answers["accounts", None] = error

    pauses = []
    for _ in range(4):
        before = await calendar()
        again = await client.slice()
        assert again is not None
        pauses.append(again.at - before)
        await clock(again.at - before)
    run = await client.run()
    await clock(timedelta(hours=24))
    over = await client.slice()

    assert (run.state, run.message, run.reason) == (RunState.QUEUED, str(error), None)
    assert timedelta(seconds=15) <= pauses[0] < pauses[2] < pauses[3] <= timedelta(minutes=10)
    assert over is None
    assert ((await client.run()).state, (await client.run()).reason) == (RunState.FAILED, error.code)
    assert await client.books.kinds() == ["SYNC_FAILED"]
    assert await client.reason() is None


async def test_trouble_that_is_over_is_forgotten(client: Reading, script: Script, clock: Clock) -> None:
    trouble = ProviderUnavailable("pretend")
    script.answers = {
        ("accounts", None): [trouble, page(record("a"), cursor="1")],
        ("accounts", "1"): [trouble, trouble, page(cursor="2", last=True)],
    }

    for _ in range(3):
        assert await client.slice() is not None
        await clock(timedelta(hours=23))

    assert await client.slice() is None
    assert (await client.run()).state is RunState.SUCCEEDED


async def test_a_failed_run_is_tried_again_after_an_hour_and_then_ever_later(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = ProviderBroken("pretend", "it is upside down")

    waits = []
    run = await client.run()
    for _ in range(6):
        assert await client.slice(run.id) is None
        organisation = await client.organisation()
        waits.append((organisation["next_sync_at"] - await calendar()) / HOUR)
        over = await client.run(run.id)
        assert (over.state, over.reason) == (RunState.FAILED, "PROVIDER_BROKEN")
        assert over.message == "pretend answered in a way we do not know: it is upside down."
        run = await sync(client.books.admin, client.connection.id)

    for wait, expected in zip(waits, (1, 2, 4, 8, 16, 24), strict=True):
        assert expected * 0.89 <= wait <= expected * 1.11
    assert run.lane is Lane.FIRST


async def test_what_the_provider_does_not_have_ends_the_run(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = NotAtProvider("pretend")

    assert await client.slice() is None

    assert (await client.run()).reason == "PROVIDER_BROKEN"
