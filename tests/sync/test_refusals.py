"""Providers that refuse for a while, or take their time: the run waits, and neither it nor the plugin is to blame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import Desk
from tests.sync.scripted import Reading, Script, quick_pages
from tests.sync.synced import Synced, connected
from tieline.errors import LimitScope, Throttled
from tieline.sync.runs import Run, RunState

__all__ = ["desk", "sandbox", "sandbox_url"]

pytestmark = pytest.mark.usefixtures("opened")

Clock = Callable[[timedelta], Awaitable[None]]
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def at_xero(desk: Desk) -> Synced:
    return await connected(desk)


async def throttled(at_xero: Synced, *waits: int) -> None:
    """The next calls are refused, each with so many seconds to wait."""
    for wait in waits:
        await at_xero.desk.sandbox.plant("throttle", "accounting", problem="minute", retry_after=wait)


async def after_slices(at_xero: Synced, *waits: int) -> Run:
    """Five slices that bring nothing: what has become of the run."""
    for _ in range(5):
        await throttled(at_xero, *waits)
        assert await at_xero.slice() is not None
        run = await at_xero.run()
        assert (run.state, run.limit_name) == (RunState.PAUSED, "minute")
        await at_xero.move(MINUTE)
    return run


@pytest.mark.parametrize("waits", [(0, 0, 0), (0, 60)])
async def test_slice_after_slice_of_refusals_puts_the_run_off_and_it_goes_on(
    at_xero: Synced, waits: tuple[int, ...]
) -> None:
    run = await after_slices(at_xero, *waits)

    assert (sum(each.pages for each in run.feeds), sum(each.calls for each in run.feeds)) == (
        0,
        5 * len(waits),
    )
    assert (await at_xero.finish()).state is RunState.SUCCEEDED
    assert await at_xero.kept() == await at_xero.truth()


async def test_a_provider_that_only_refuses_is_asked_ever_more_rarely_and_for_a_day(
    client: Reading, script: Script, clock: Clock
) -> None:
    script.answers["accounts", None] = Throttled(
        "pretend", limit="minute", scope=LimitScope.ORGANISATION, retry_after=timedelta(seconds=20)
    )

    pauses = []
    for _ in range(9):
        again, run = await client.slice(), await client.run()
        assert again is not None
        assert run.resume_at == again.at
        pauses.append(again.at - run.changed_at)
        await clock(pauses[-1])
    await clock(timedelta(hours=24))
    over = await client.slice()

    assert pauses[0] == timedelta(seconds=20)
    assert pauses[0] < pauses[3] < pauses[5] < 9 * MINUTE < pauses[8] < 11 * MINUTE
    assert over is None
    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "STALLED")
    assert run.message == "The limit 'minute' of pretend is spent; wait 20 seconds."


async def test_an_answer_that_takes_too_long_for_a_page_is_no_fault_of_the_plugin(at_xero: Synced) -> None:
    await at_xero.desk.sandbox.plant("slow", "accounting", seconds=10)

    with quick_pages(0.3):
        again = await at_xero.slice()

    run = await at_xero.run()
    assert (run.state, run.reason) == (RunState.QUEUED, None)
    assert run.message == "xero did not answer as it should; nothing has changed here, try again later."
    assert again is not None
    assert again.at >= run.changed_at + timedelta(seconds=10)
    await at_xero.move(MINUTE)
    assert (await at_xero.finish()).state is RunState.SUCCEEDED
