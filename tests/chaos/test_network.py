"""A rough network before the providers: nobody expires, no page is lost, and what was begun comes to its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from tests.chaos.guests import AWAY, READY, Guests, IntuitGuests, XeroGuests
from tests.chaos.leftovers import half_closed
from tests.chaos.network import PROVIDERS, Network, rough_network
from tests.chaos.portfolio import LISTS
from tests.chaos.sizes import IS_FULL, size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.proxy import Fault, Roughness
from tieline.plugins import Session

ORGANISATIONS, COMPANIES, ROUNDS = size(20, 3), size(20, 1), size(5, 2)
SYNCS = (ORGANISATIONS * ROUNDS, COMPANIES * ROUNDS)
SIGN_INS, FAILED, LOST = size(40, 4), size(5, 1), size(5, 1)
RECORDS = {"accounts": 40, "contacts": 1_050} if IS_FULL else LISTS
WORKERS = tuple(f"worker-{number}" for number in range(size(2, 1)))
ROUGHNESS = Roughness(part=0.4, posts=0.6, longest_lag=size(20, 1) / 10, longest_drip=size(50, 5) / 1_000)
EDITS = 3
MOST_IDLE = 20
AN_ACCESS_TOKENS_LIFE = timedelta(minutes=31)
ROW = "A rough network"

_OTHERS = "SELECT id FROM sync_run WHERE state <> 'SUCCEEDED'"
_CHANGED = """
SELECT FROM connection WHERE status <> 'CONNECTED' UNION ALL SELECT FROM event WHERE kind = 'CONNECTION_EXPIRED'
"""
_NOT_LIVE = "SELECT id FROM credential WHERE state <> 'LIVE'"
_HALF = """
SELECT FROM sign_in WHERE state NOT IN ('READY', 'FAILED') OR (state = 'FAILED') <> (failure IS NOT NULL)
 UNION ALL SELECT FROM consent_round WHERE outcome IS NULL OR tokens_sealed IS NOT NULL
"""


def hurried() -> None:
    """A process that waits for a provider no longer than a test may take."""
    patch("tieline.credentials.service.Session", partial(Session, seconds=1.0)).start()
    patch("tieline.credentials.refreshing._HTTP_SECONDS", 5.0).start()
    patch("tieline.sign_ins.exchange._EXCHANGE_SECONDS", 5.0).start()
    patch("tieline.plugins.session._PAUSES_SECONDS", (0.02, 0.05)).start()


async def test_a_rough_network_expires_nobody_and_loses_no_page_and_all_that_was_begun_comes_to_an_end(
    stand: Stand, figures: Figures
) -> None:
    prepare = None if IS_FULL else hurried
    stand.start(GATEWAY, "serve", prepare=prepare)
    async with rough_network(
        stand, ROW, ROUGHNESS, organisations=ORGANISATIONS, companies=COMPANIES, records=RECORDS
    ) as network:
        start_those_who_sync(stand, prepare)
        guests = guests_of(network)
        await sign_in(guests)
        await play(network)
        compared = await network.compared()
        await count_faults(figures, network)

        network.be(rough=False)
        held = await network.held()
        half = max(half_closed(pid) for pid in stand.pids().values())
        if prepare is not None:
            await begin_patiently(stand)
        anew = await asyncio.gather(*(once_more(each) for each in guests))
        await go_round(network)
        compared += await network.compared()

    figures.exactly(f"{ROW}: syncs that did not end well", len(await stand.rows(_OTHERS)), 0)
    figures.exactly(f"{ROW}: connections that expired", len(await stand.rows(_CHANGED)), 0)
    figures.exactly(f"{ROW}: credentials that are not live", len(await stand.rows(_NOT_LIVE)), 0)
    seen = min(each.records for each in compared)
    figures.at_least(f"{ROW}: records compared at either provider", seen, size(1_000, 50))
    figures.exactly(f"{ROW}: records lost", sum(each.lost for each in compared), 0)
    others = sum(each.foreign + each.differing for each in compared)
    figures.exactly(f"{ROW}: records that are not the provider's", others, 0)
    await count_sign_ins(figures, stand, guests, anew)
    figures.exactly(f"{ROW}: broken connections that a process still holds", held, 0)
    figures.at_most(f"{ROW}: connections that a process has not closed after the provider", half, MOST_IDLE)
    figures.hold()


def start_those_who_sync(stand: Stand, prepare: Callable[[], None] | None) -> None:
    stand.start("scheduler", "scheduler", prepare=prepare)
    for name in WORKERS:
        stand.start(name, "worker", prepare=prepare)


async def begin_patiently(stand: Stand) -> None:
    """All processes anew, none of them hurried: what fails on a smooth line is then no fault of a slow machine."""
    await asyncio.to_thread(stand.stop)
    stand.start(GATEWAY, "serve")
    start_those_who_sync(stand, None)


def guests_of(network: Network) -> Sequence[Guests]:
    kinds = (XeroGuests, IntuitGuests)
    pairs = zip(kinds, network.portfolios, network.proxies, strict=True)
    return [kind(portfolio=portfolio, proxy=proxy) for kind, portfolio, proxy in pairs]


async def sign_in(guests: Sequence[Guests]) -> None:
    """One at each provider at a time, until so many did, and enough of each met a fault that ended it."""

    def came() -> int:
        return sum(len(each.ended) for each in guests)

    def too_few_failed() -> bool:
        return any(each.ended.count(AWAY) < FAILED for each in guests)

    while came() < SIGN_INS or (too_few_failed() and came() < 10 * SIGN_INS):
        await asyncio.gather(*(each.come() for each in guests))


async def once_more(guests: Guests) -> str:
    await guests.come()
    return guests.ended.pop()


async def play(network: Network) -> None:
    """First reads, then rounds, until there were so many, and enough refreshes lost an answer."""
    await network.until_over()
    rounds = 1
    while rounds < ROUNDS or (network.lost() < LOST and rounds < 10 * ROUNDS):
        await go_round(network)
        rounds += 1


async def go_round(network: Network) -> None:
    """Every access token is too old, something is new everywhere, and somebody asks for every sync."""
    await network.stand.move(AN_ACCESS_TOKENS_LIFE)
    await network.edit(times=EDITS)
    await network.sync()
    await network.until_over()


async def count_faults(figures: Figures, network: Network) -> None:
    """That it really was rough, before each provider, and for what."""
    cut = [told["run_id"] for told in network.told("sync.cut_short")]
    begun = await network.syncs()
    for name, syncs, least, proxy in zip(PROVIDERS, begun, SYNCS, network.proxies, strict=True):
        faults, cuts = proxy.faults, sum(run_id in syncs for run_id in cut)
        rarest = min(faults[kind] for kind in Fault)
        figures.at_least(f"{ROW}: syncs at {name}", len(syncs), least)
        figures.at_least(f"{ROW}: faults before {name}", faults.total(), size(150, 3))
        if IS_FULL:  # few calls need not meet every kind
            figures.at_least(f"{ROW}: faults of the rarest kind before {name}", rarest, 10)
            figures.at_least(f"{ROW}: times that they cut a sync at {name} short", cuts, 5)
    _, to_intuit = network.proxies
    figures.at_least(f"{ROW}: refreshes at Xero whose answer was lost", network.lost(), LOST)
    if IS_FULL:
        figures.at_least(f"{ROW}: refreshes at Intuit whose answer came late", to_intuit.delayed, 5)


async def count_sign_ins(
    figures: Figures, stand: Stand, guests: Sequence[Guests], anew: Sequence[str]
) -> None:
    ended = Counter(how for each in guests for how in each.ended)
    others = ended.total() - ended[READY] - ended[AWAY]
    figures.at_least(f"{ROW}: sign-ins", ended.total(), SIGN_INS)
    for name, each in zip(PROVIDERS, guests, strict=True):
        failed = each.ended.count(AWAY)
        figures.at_least(f"{ROW}: of these, those at {name} that failed, and were told so", failed, FAILED)
    figures.exactly(f"{ROW}: those that ended otherwise", others, 0)
    figures.exactly(f"{ROW}: those that are left half done", len(await stand.rows(_HALF)), 0)
    figures.exactly(f"{ROW}: those that fail once it is smooth", sum(how != READY for how in anew), 0)
