"""Workers killed amid thousands of syncs: nothing is lost, nothing is there twice, and others go on soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import inf
from statistics import median

import pytest

from tests.chaos.killing import Killer
from tests.chaos.portfolio import LISTS, WAIT_SECONDS, Portfolio, many
from tests.chaos.seeds import chance
from tests.chaos.sizes import IS_FULL, size
from tests.chaos.stand import GATEWAY, SECONDS_BETWEEN_LOOKS, Stand
from tests.support.dispatches import dispatches_of
from tests.support.figures import Figures
from tests.support.polling import until

ORGANISATIONS, ROUNDS, KILLS = size(400, 6), size(5, 2), size(200, 2)
SYNCS = ORGANISATIONS * ROUNDS
WORKERS = tuple(f"worker-{number}" for number in range(size(3, 2)))
EDITS = 3
LATENCY = 0.05 if IS_FULL else 0.2
ROW = "Workers killed"


@pytest.fixture
async def working(stand: Stand) -> AsyncIterator[Stand]:
    """A provider that takes its time, so that there is a middle to strike into."""
    await stand.sandbox.control("PUT", "/latency", {"seconds": LATENCY})
    stand.start(GATEWAY, "serve")
    stand.start("scheduler", "scheduler", TIELINE_SCHEDULER_INTERVAL=SECONDS_BETWEEN_LOOKS)
    for name in WORKERS:
        stand.start(name, "worker")
    yield stand
    await stand.sandbox.control("PUT", "/latency", {"seconds": 0})


async def test_workers_that_are_killed_lose_nothing_and_others_go_on_where_they_were(
    working: Stand, figures: Figures
) -> None:
    undisturbed = await many(working, ORGANISATIONS, seed="undisturbed")
    await play(undisturbed)
    killer = Killer(stand=working, names=WORKERS, draws=chance(ROW), waits=IS_FULL, latency=LATENCY)
    async with dispatches_of(working.deployment) as record:
        portfolio = await many(working, ORGANISATIONS, seed="killed", held=True)
        await play(portfolio, killer)
        dispatches = await record.all()

    compared, ended = await portfolio.compared(), await portfolio.succeeded()
    calls, usual = await portfolio.calls(), await undisturbed.calls()
    rests = [one.taken_up_after(dispatches) for one in killer.broken]
    seconds = [rest.total_seconds() for rest in rests if rest is not None]
    figures.at_least(f"{ROW}: kills", killer.kills, KILLS)
    figures.exactly(f"{ROW}: syncs that ended well", ended, SYNCS)
    figures.exactly(f"{ROW}: syncs that did not", await portfolio.others(), 0)
    figures.at_least(f"{ROW}: times that a sync broke off", len(rests), size(KILLS, 1))
    figures.exactly(f"{ROW}: of these, those that nobody went on with", rests.count(None), 0)
    figures.at_least(f"{ROW}: records compared", compared.records, ORGANISATIONS * sum(LISTS.values()))
    figures.exactly(f"{ROW}: records lost", compared.lost, 0)
    figures.exactly(f"{ROW}: records that are not the provider's", compared.foreign + compared.differing, 0)
    figures.at_most(
        f"{ROW}: calls made once more, for each time", max(0, calls - usual) / max(1, len(rests)), 1
    )
    if IS_FULL:
        figures.at_most(f"{ROW}: calls, by those of the undisturbed run", calls / usual, 1.1)
    figures.timed(f"{ROW}: longest until somebody went on", max(seconds, default=inf), 90)
    figures.timed(f"{ROW}: median of that", median(seconds or [inf]), 30)
    figures.hold()


async def play(portfolio: Portfolio, killer: Killer | None = None) -> None:
    """First reads, then rounds of edits and syncs; kills come as the syncs of each end."""
    names = chance(ROW)
    for number in range(ROUNDS):
        if number:
            await portfolio.edit(lambda: f"Contact {names.getrandbits(64):x}", times=EDITS)
            if killer is not None:  # all calls wait for the first strike: else all might have ended before
                await portfolio.stand.sandbox.hold()
        async with asyncio.TaskGroup() as group:
            if number:
                group.create_task(portfolio.sync())
            if killer is not None:
                group.create_task(strike(killer, portfolio, number))
        await portfolio.until_over(seconds=3 * WAIT_SECONDS)


async def strike(killer: Killer, portfolio: Portfolio, number: int) -> None:
    """This round's share of the kills, spread over its first two thirds: somebody is at work for sure."""
    before = ORGANISATIONS * number
    while killer.kills < KILLS * (number + 1) // ROUNDS:
        await until_ended(portfolio, before + (SYNCS * killer.kills // KILLS - before) * 2 // 3)
        await killer.strike()


async def until_ended(portfolio: Portfolio, syncs: int) -> None:
    async def as_many() -> bool:
        return await portfolio.succeeded() >= syncs

    await until(as_many, f"{syncs} syncs have ended", seconds=WAIT_SECONDS)
