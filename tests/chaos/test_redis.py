"""Redis wiped and killed amid syncs: what is due when it is back starts soon, and nothing is lost or there twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import inf

import pytest

from tests.chaos.forgetting import Forgetting
from tests.chaos.portfolio import LISTS, Portfolio, many
from tests.chaos.seeds import chance
from tests.chaos.sizes import IS_FULL, size
from tests.chaos.stand import GATEWAY, SECONDS_BETWEEN_LOOKS, Stand
from tests.support.dispatches import dispatches_of
from tests.support.figures import Figures

ROUNDS = size(30, 3)
KILLS = ROUNDS // 3
ORGANISATIONS, SEVERAL = size(12, 6), size(2, 1)
WORKERS = size(3, 2)
LONGEST_AWAY = 20.0
LATENCY = 0.1 if IS_FULL else 0.05
ROW = "Redis forgets"


@pytest.fixture
async def working(stand: Stand) -> AsyncIterator[Stand]:
    """A provider that takes its time, and few threads, so that most messages are not fetched yet."""
    await stand.sandbox.control("PUT", "/latency", {"seconds": LATENCY})
    stand.start(GATEWAY, "serve")
    stand.start("scheduler", "scheduler", TIELINE_SCHEDULER_INTERVAL=SECONDS_BETWEEN_LOOKS)
    for number in range(WORKERS):
        stand.start(f"worker-{number}", "worker", TIELINE_WORKER_THREADS="1")
    yield stand
    await stand.sandbox.control("PUT", "/latency", {"seconds": 0})


async def test_what_is_due_when_redis_is_back_starts_soon_and_is_done_once(
    working: Stand, figures: Figures
) -> None:
    processes, redis = working.pids(), Forgetting(stand=working, several=SEVERAL, latency=LATENCY)
    undisturbed = await many(working, ORGANISATIONS, seed="undisturbed")
    await play(undisturbed)
    async with dispatches_of(working.deployment) as record:
        portfolio = await many(working, ORGANISATIONS, seed="forgotten", held=True)
        await play(portfolio, redis)
        dispatches = await record.all()

    compared, calls, usual = await portfolio.compared(), await portfolio.calls(), await undisturbed.calls()
    waits = redis.waits(dispatches)
    figures.at_least(f"{ROW}: times that it was wiped", redis.wipes, ROUNDS - KILLS)
    figures.at_least(f"{ROW}: times that it was killed", redis.kills, KILLS)
    figures.at_least(f"{ROW}: of both, those after which syncs were due", sum(map(bool, waits)), ROUNDS)
    figures.at_least(f"{ROW}: messages that were lost with it", redis.lost, SEVERAL * ROUNDS)
    figures.at_least(f"{ROW}: syncs that started after it", sum(map(len, waits)), SEVERAL * ROUNDS)
    figures.exactly(
        f"{ROW}: syncs that ended well",
        await portfolio.succeeded(),
        ORGANISATIONS * ROUNDS,
    )
    figures.exactly(f"{ROW}: syncs that did not", await portfolio.others(), 0)
    figures.exactly(f"{ROW}: jobs taken from who had them", sum(one.was_held for one in dispatches), 0)
    figures.at_least(f"{ROW}: records compared", compared.records, ORGANISATIONS * sum(LISTS.values()))
    figures.exactly(f"{ROW}: records lost", compared.lost, 0)
    figures.exactly(f"{ROW}: records that are not the provider's", compared.foreign + compared.differing, 0)
    figures.exactly(f"{ROW}: calls to the provider that the undisturbed do not need", calls - usual, 0)
    figures.exactly(f"{ROW}: processes that ended", len(processes.items() - working.pids().items()), 0)
    seconds = [wait.total_seconds() for each in waits for wait in each]
    figures.timed(f"{ROW}: longest until a sync that was due started", max(seconds, default=inf), 60)
    figures.hold()


async def play(portfolio: Portfolio, redis: Forgetting | None = None) -> None:
    """First reads, then rounds of edits and of syncs asked for, in turn one by one and all at once; a strike amid each.

    Every third one kills, so that all of it is struck in both ways.
    """
    draws = chance(ROW)
    for number in range(ROUNDS):
        if number:
            await portfolio.edit(lambda: f"Contact {draws.getrandbits(64):x}")
            if redis is not None:
                await portfolio.stand.sandbox.hold()  # until it strikes: else all might have ended before
        async with asyncio.TaskGroup() as group:
            if number:
                group.create_task(portfolio.sync() if number % 2 else portfolio.sync_all())
            if redis is not None:
                kills, away = number % 3 == 2, draws.uniform(1, LONGEST_AWAY)
                group.create_task(redis.kill(away=away if IS_FULL else None) if kills else redis.wipe())
        await portfolio.until_over()
