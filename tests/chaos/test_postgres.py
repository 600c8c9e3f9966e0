"""PostgreSQL stopped at once, again and again, amid syncs: nothing is lost, nobody misled, and no process ends."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from math import inf
from unittest.mock import patch

from tests.chaos.following import Subscriber, misled, written
from tests.chaos.gauges import lent_at_rest
from tests.chaos.insisting import Insistent, Passerby
from tests.chaos.portfolio import LISTS, Portfolio, many
from tests.chaos.restarting import Restarter, longest_after, skipped
from tests.chaos.seeds import chance
from tests.chaos.sizes import IS_FULL, size
from tests.chaos.stand import GATEWAY, SECONDS_BETWEEN_LOOKS, Stand
from tests.support.counted import pool_of
from tests.support.events import CURSOR
from tests.support.figures import Figures
from tests.support.ports import free_port

ORGANISATIONS, RESTARTS, SUBSCRIBERS = size(60, 4), size(50, 2), size(20, 2)
WORKERS = tuple(f"worker-{number}" for number in range(size(2, 1)))
SHORTEST, LONGEST = 5, 40
"""Seconds from one restart to the next."""
_LATEST, _LIKELIEST, _MARGIN = 35, 15, 1
"""When somebody begins to wait for a page, at the latest and most often, and what is left when he gives up."""
PAGES = 8
LATENCY = 0.2
POOL, AT_ONCE = size(10, 2), 40
ROW = "PostgreSQL restarted"

_NOT_TOLD_ONCE = """
SELECT r.id FROM sync_run AS r
 WHERE r.practice_id = $1 AND r.state = 'SUCCEEDED'
   AND (SELECT count(*) FROM event AS e WHERE e.practice_id = $1 AND e.kind = 'SYNC_SUCCEEDED'
           AND e.payload->>'run_id' = r.id::text) <> 1
"""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who looks on; `begin` is where the subscribers began."""

    begin: str
    subscribers: Sequence[Subscriber]
    passerby: Passerby

    @property
    def odd(self) -> list[str]:
        return self.passerby.odd + [why for one in self.subscribers for why in one.odd]


async def test_a_postgresql_that_is_stopped_at_once_costs_moments_and_nothing_else(
    durable_stand: Stand, figures: Figures
) -> None:
    stand = durable_stand
    await stand.sandbox.control("PUT", "/latency", {"seconds": LATENCY})
    addresses, began = start(stand), stand.pids()
    made = await many(stand, ORGANISATIONS, seed="restarted")
    portfolio = replace(made, admin=Insistent.of(made.admin))
    async with watched(portfolio) as watch:
        restarter = Restarter(
            portfolio=portfolio, subscribers=watch.subscribers, at_once=POOL, latency=LATENCY
        )
        await play(portfolio, restarter)
        misleading = await misled(watch.subscribers, await written(portfolio, watch.begin))
    skips = await skipped(portfolio)
    await asyncio.gather(*(portfolio.admin.ask(CURSOR) for _ in range(AT_ONCE)))

    broken = sum(log.count("sync.cut_short") for _, log in stand.logged())
    figures.at_least(f"{ROW}: restarts amid syncs", restarter.amid, RESTARTS)
    figures.at_least(f"{ROW}: times that a sync broke off", broken, RESTARTS)
    await count_syncs(figures, portfolio)
    cuts = sum(one.cuts for one in watch.subscribers)
    figures.at_least(f"{ROW}: times that a subscriber was cut off", cuts, size(400, 1))
    figures.exactly(f"{ROW}: events that subscribers missed, or had in another order", misleading, 0)
    figures.exactly(f"{ROW}: events that a place told right before skips", skips, 0)
    figures.at_least(f"{ROW}: queries beside", watch.passerby.answers, size(5_000, 2))
    figures.exactly(f"{ROW}: answers and ends that were neither sound nor UNAVAILABLE", len(watch.odd), 0)
    ended = sum(stand.pids().get(name) != pid for name, pid in began.items())
    figures.exactly(f"{ROW}: processes that ended", ended, 0)
    lent, first = await lent_at_rest(addresses), await pool_of(addresses[0])
    lacking = first["limit"] - first["size"]
    figures.exactly(f"{ROW}: connections that did not come back to their pool", lent, 0)
    figures.exactly(f"{ROW}: connections that the pool lacks after many callers at once", lacking, 0)
    count_time(figures, restarter, watch.passerby)
    figures.hold()


def count_time(figures: Figures, restarter: Restarter, passerby: Passerby) -> None:
    """How soon the API was healthy, and how long anybody was told afterwards that it is not."""
    healthy, told = max(restarter.seconds, default=inf), passerby.told_away
    between = [after.begin - before.begin for before, after in pairwise(restarter.absences)]
    if IS_FULL:
        figures.at_least(
            f"{ROW}: shortest from one restart to the next", min(between, default=0), SHORTEST, " s"
        )
        figures.at_least(f"{ROW}: queries beside that were told that the database is away", len(told), 50)
    figures.timed(f"{ROW}: longest from one restart to the next", max(between, default=0), LONGEST)
    figures.timed(f"{ROW}: longest until the API was healthy again", healthy, 5)
    figures.timed(
        f"{ROW}: longest that somebody was told otherwise", longest_after(restarter.absences, told), 5
    )


async def count_syncs(figures: Figures, portfolio: Portfolio) -> None:
    """How syncs ended, what the feed tells of them, and what they left."""
    stand, practice_id = portfolio.stand, portfolio.practice_id
    succeeded, others = await portfolio.succeeded(), await portfolio.others()
    untold, compared = await stand.rows(_NOT_TOLD_ONCE, practice_id), await portfolio.compared()
    figures.at_least(f"{ROW}: syncs that ended well", succeeded, size(500, 2 * ORGANISATIONS))
    figures.exactly(f"{ROW}: syncs that did not", others, 0)
    figures.exactly(f"{ROW}: syncs that the feed does not tell of exactly once", len(untold), 0)
    figures.at_least(f"{ROW}: records compared", compared.records, ORGANISATIONS * sum(LISTS.values()))
    figures.exactly(f"{ROW}: records lost", compared.lost, 0)
    figures.exactly(f"{ROW}: records that are not the provider's", compared.foreign + compared.differing, 0)


def start(stand: Stand) -> list[str]:
    """The addresses at which the processes tell of themselves, the gateway first."""
    ports = {name: str(free_port()) for name in ("scheduler", *WORKERS)}
    stand.start(GATEWAY, "serve")
    stand.start(
        "scheduler",
        "scheduler",
        TIELINE_HEALTH_PORT=ports["scheduler"],
        TIELINE_SCHEDULER_INTERVAL=SECONDS_BETWEEN_LOOKS,
    )
    for name in WORKERS:
        prepare = None if IS_FULL else waiting_less
        stand.start(name, "worker", prepare=prepare, TIELINE_HEALTH_PORT=ports[name])
    return [stand.gateway.url, *(f"http://127.0.0.1:{port}" for port in ports.values())]


def waiting_less() -> None:
    """A worker whose leases and pauses are short, so that what broke off is soon taken up."""
    lease, pause = timedelta(seconds=3), timedelta(seconds=0.3)
    patch("tieline.work.repository.LEASE", lease).start()
    patch("tieline.worker.runner.LEASE", lease).start()
    patch("tieline.worker.outcomes.LEASE", lease).start()
    patch("tieline.worker.runner.HEARTBEAT", pause).start()
    patch("tieline.worker.outcomes._FIRST_PAUSE", pause).start()


@asynccontextmanager
async def watched(portfolio: Portfolio) -> AsyncIterator[Watch]:
    """Subscribers follow and a passer-by asks until the block ends."""
    gateway, begin = portfolio.stand.gateway, (await portfolio.admin.ask(CURSOR))["clients"]["eventCursor"]
    subscribers = [
        Subscriber(gateway=gateway, caller=portfolio.admin, begin=begin) for _ in range(SUBSCRIBERS)
    ]
    watch = Watch(
        begin=begin, subscribers=subscribers, passerby=Passerby(caller=portfolio.admin, at_once=POOL)
    )
    async with asyncio.TaskGroup() as group:
        looking = [group.create_task(watch.passerby.ask())]
        looking += [group.create_task(one.follow()) for one in subscribers]
        yield watch
        for task in looking:
            task.cancel()


async def play(portfolio: Portfolio, restarter: Restarter) -> None:
    """First reads, then rounds of edits and syncs, as long as restarts come; and one more."""
    names, draws = chance(ROW), chance(f"{ROW}: when")
    async with asyncio.TaskGroup() as group:
        striking = group.create_task(strike(restarter, draws))
        await portfolio.until_over()
        while not striking.done():
            await again(portfolio, names)
    await again(portfolio, names)


async def again(portfolio: Portfolio, names: random.Random) -> None:
    await portfolio.edit(lambda: f"Contact {names.getrandbits(64):x}")
    await portfolio.sync()
    await portfolio.until_over()


async def strike(restarter: Restarter, draws: random.Random) -> None:
    """Amid syncs so often; where nobody stores a page for long, once more."""
    while restarter.amid < RESTARTS and (number := len(restarter.absences)) < 2 * RESTARTS:
        if IS_FULL:
            since = time.monotonic() - restarter.last
            await asyncio.sleep(draws.triangular(SHORTEST, _LATEST, _LIKELIEST) - since)
            await restarter.strike(looks=number % 2 == 0, latest=restarter.last + LONGEST - _MARGIN)
        else:
            await restarter.until_stored(PAGES * (number + 1))
            await restarter.strike(looks=number % 2 == 0)
