"""Everything told to stop at once, amid syncs and with sockets open: it ends soon and well, and nothing is lost."""

from __future__ import annotations

from unittest.mock import patch

from tests.chaos.lines import codes_of, cursor_of, followed, silent
from tests.chaos.portfolio import LISTS, many
from tests.chaos.sizes import IS_FULL, size
from tests.chaos.stand import GATEWAY, Stand
from tests.chaos.stopping import all_told_to_stop, under_way
from tests.support.figures import Figures
from tieline.worker import process

SOCKETS, SYNCS, UNDER_WAY = size(100, 10), size(20, 2), size(10, 1)
WORKERS = tuple(f"worker-{number}" for number in range(size(3, 1)))
LATENCY, FOR_LONG = 3.0 if IS_FULL else 1.0, 30.0
"""Seconds of a call until all syncs are halfway, and from then on: none ends before its worker does."""
STOPS = 1012
ROW = "Told to stop"

_HALFWAY = """
SELECT r.id FROM sync_run AS r JOIN job AS j ON j.arguments->>'run_id' = r.id::text
 WHERE r.practice_id = $1 AND r.state = 'RUNNING' AND j.lease_until > clock_timestamp()
   AND EXISTS (SELECT FROM jsonb_each(r.progress) AS f (name, state) WHERE (f.state->>'pages')::int > 0)
"""
_HELD = "SELECT id FROM job WHERE lease_owner IS NOT NULL"


async def test_processes_that_are_all_told_to_stop_end_well_and_others_go_on_where_they_were(
    stand: Stand, figures: Figures
) -> None:
    stand.start(GATEWAY, "serve", TIELINE_DATABASE_POOL_SIZE=str(2 * UNDER_WAY + 10))
    portfolio = await many(stand, SYNCS, seed="stopped")
    admin, after = portfolio.admin, await cursor_of(portfolio.admin)
    async with followed(stand, [admin.key] * SOCKETS, after=after) as lines:
        requests = await under_way(stand, admin, lines, count=UNDER_WAY)
        await stand.sandbox.control("PUT", "/latency", {"seconds": LATENCY})
        start_those_who_sync(stand)
        await stand.until_as_many(_HALFWAY, SYNCS, portfolio.practice_id, what="all syncs are halfway")
        await stand.sandbox.control("PUT", "/latency", {"seconds": FOR_LONG})
        async with silent(stand, UNDER_WAY) as mute:
            stopped = await all_told_to_stop(stand, requests)
            codes = await codes_of([*lines, *mute], seconds=30)
        unanswered = await requests.unanswered()

    given_back = sum(is_given_back(line) for _, log in stand.logged() for line in log.splitlines())
    held = len(await stand.rows(_HELD))
    await stand.sandbox.control("PUT", "/latency", {"seconds": 0})
    stand.start(GATEWAY, "serve")
    start_those_who_sync(stand)
    await portfolio.until_over()
    compared, ended = await portfolio.compared(), await portfolio.succeeded()
    figures.at_least(f"{ROW}: sockets", len(lines) + len(mute), SOCKETS)
    figures.exactly(f"{ROW}: of these, those that were not closed with 1012", codes.total() - codes[STOPS], 0)
    figures.at_least(f"{ROW}: operations under way on them", requests.operations, UNDER_WAY)
    figures.at_least(f"{ROW}: requests under way", len(requests.requests), UNDER_WAY)
    figures.exactly(f"{ROW}: of these, those that were not answered", unanswered, 0)
    figures.at_least(f"{ROW}: syncs given back halfway", given_back, SYNCS)
    figures.exactly(f"{ROW}: jobs that nobody gave back", held, 0)
    figures.exactly(f"{ROW}: processes that did not end well", sum(one.code != 0 for one in stopped), 0)
    figures.at_least(f"{ROW}: syncs that ended well later", ended, SYNCS)
    figures.exactly(f"{ROW}: syncs that did not", await portfolio.others(), 0)
    figures.at_least(f"{ROW}: records compared", compared.records, SYNCS * sum(LISTS.values()))
    figures.exactly(f"{ROW}: records lost", compared.lost, 0)
    figures.exactly(f"{ROW}: records that are not the provider's", compared.foreign + compared.differing, 0)
    figures.timed(f"{ROW}: longest until a process had ended", max(one.seconds for one in stopped), 15)
    figures.hold()


def is_given_back(line: str) -> bool:
    """Whether a worker says here that somebody else is to go on with a sync."""
    return "job.handed_back" in line and "sync.work_run" in line


def start_those_who_sync(stand: Stand) -> None:
    stand.start("scheduler", "scheduler")
    for name in WORKERS:
        stand.start(name, "worker", prepare=None if IS_FULL else leaving_soon)


def leaving_soon() -> None:
    """A worker that gives its jobs less time, so that few are enough to be in the middle."""
    patch.object(process, "DRAIN_SECONDS", 0.5).start()
