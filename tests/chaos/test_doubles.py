"""Every message delivered twice at once: what is in the tables at the end is what it would be without."""

from __future__ import annotations

from tests.chaos.doubling import doubling, doubling_one_by_one, until_heard
from tests.chaos.endings import ending
from tests.chaos.portfolio import LISTS, Portfolio, many
from tests.chaos.seeds import chance
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.dispatches import dispatches_of
from tests.support.figures import Figures

ORGANISATIONS, ROUNDS = size(100, 8), size(11, 2)
ROW = "Every message twice"


async def test_messages_that_all_come_twice_at_once_leave_what_single_ones_leave(
    stand: Stand, figures: Figures
) -> None:
    start(stand)
    plain = await played(stand, seed="once")
    expected, calls = await ending(plain), await plain.calls()
    stand.stop()
    with stand.redis.client() as client:
        client.flushall()

    start(stand, doubled=True)
    async with dispatches_of(stand.deployment) as record:
        twice = await played(stand, seed="twice")
        with stand.redis.client() as client:
            messages, at_once = await until_heard(client)
        dispatches = await record.all()

    seen, compared = await ending(twice), await twice.compared()
    figures.at_least(f"{ROW}: messages", messages, size(1_000, 30))
    figures.at_least(f"{ROW}: of these, those that were under way at the same time", at_once, size(1_000, 10))
    figures.exactly(f"{ROW}: jobs taken from who had them", sum(one.was_held for one in dispatches), 0)
    figures.at_least(f"{ROW}: records compared", compared.records, ORGANISATIONS * sum(LISTS.values()))
    figures.exactly(f"{ROW}: records lost", compared.lost, 0)
    figures.exactly(f"{ROW}: records that are not the provider's", compared.foreign + compared.differing, 0)
    figures.exactly(
        f"{ROW}: runs, feeds, events, connections and jobs that are others than with single ones",
        ((seen - expected) + (expected - seen)).total(),
        0,
    )
    figures.exactly(
        f"{ROW}: calls to the provider that single ones do not make", await twice.calls() - calls, 0
    )
    figures.hold()


def start(stand: Stand, *, doubled: bool = False) -> None:
    prepare = doubling if doubled else None
    stand.start(GATEWAY, "serve", prepare=prepare)
    stand.start("scheduler", "scheduler", prepare=prepare)
    stand.start("worker", "worker", prepare=prepare)
    stand.start("another", "worker", prepare=doubling_one_by_one if doubled else None)


async def played(stand: Stand, *, seed: str) -> Portfolio:
    """First reads, then rounds in which something is new everywhere and somebody asks for every sync."""
    portfolio, names = await many(stand, ORGANISATIONS, seed=seed), chance(ROW)
    await portfolio.until_over()
    for _ in range(ROUNDS):
        await portfolio.edit(lambda: f"Contact {names.getrandbits(64):x}")
        await portfolio.sync()
        await portfolio.until_over()
    return portfolio
