"""Thousands of organisations of one practice fall due at once: ten of another's, amid them, are next all the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf
from uuid import UUID

from tests.chaos.portfolio import WAIT_SECONDS, Portfolio, many
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.dispatches import Dispatch, Dispatches, dispatches_of
from tests.support.figures import Figures
from tests.support.polling import until
from tieline.sync.actors import work_run
from tieline.sync.scheduling import AHEAD

ORGANISATIONS, FEW = size(5_000, 100), 10
WORKERS, THREADS = ("worker-1", "worker-2"), size(4, 2)
TAKEN = size(100, 8)
ROW = "Organisations fall due"

_FORGET = "DELETE FROM job WHERE practice_id = $1"
_NEVER_READ = "DELETE FROM sync_run WHERE practice_id = $1"
_FALL_DUE = "UPDATE organisation SET last_synced_at = $2, next_sync_at = $3 WHERE practice_id = $1"
_NOT_QUEUED = (
    "SELECT id FROM organisation WHERE practice_id = ANY ($1::uuid[]) AND next_sync_at <= $2 LIMIT 1"
)
_MOVE_ON_TO = """
UPDATE clock SET offset_by = greatest(offset_by, $1::timestamptz - clock_timestamp())
RETURNING $1::timestamptz - offset_by AS fell_due_at
"""
_WAIT = "SELECT id FROM job WHERE practice_id = $1 AND actor = 'sync.work_run' AND attempts = 0"


async def test_ten_organisations_that_fall_due_amid_another_practices_thousands_are_next(
    stand: Stand, figures: Figures
) -> None:
    stand.start(GATEWAY, "serve")
    large, small = await due(stand, ORGANISATIONS, seed="large"), await due(stand, FEW, seed="small")
    stand.stop(GATEWAY)
    at = datetime.now(UTC)
    many_at, few_at = at + AHEAD / 2, at + AHEAD * 3 / 4
    await stand.rows(_FALL_DUE, large.practice_id, at, many_at)
    await stand.rows(_FALL_DUE, small.practice_id, at, few_at)
    async with dispatches_of(stand.deployment) as record:
        stand.start("scheduler", "scheduler")
        for name in WORKERS:
            stand.start(name, "worker", TIELINE_WORKER_THREADS=str(THREADS))
        both = [large.practice_id, small.practice_id]
        await stand.until_none(_NOT_QUEUED, both, few_at, what="all is queued", seconds=WAIT_SECONDS)
        await stand.rows(_MOVE_ON_TO, many_at)
        await until_taken(record, large, TAKEN)
        [moved] = await stand.rows(_MOVE_ON_TO, few_at)
        waiting = len(await stand.rows(_WAIT, large.practice_id))
        await until_read(small)
        dispatches = await record.all()

    places = places_of(small, [one for one in dispatches if one.at > moved["fell_due_at"]])
    figures.at_least(f"{ROW}: another practice's that wait when ten fall due", waiting, size(4_500, 50))
    figures.exactly(f"{ROW}: of the ten, taken up before", len(places_of(small, dispatches)) - len(places), 0)
    figures.exactly(f"{ROW}: of the ten, taken up then and read", len(places), FEW)
    figures.at_most(f"{ROW}: dispatches until the last of the ten", max(places, default=inf), 20)
    figures.hold()


async def due(stand: Stand, organisations: int, *, seed: str) -> Portfolio:
    """A practice whose organisations were all read, it says, so that nothing waits but for the next time."""
    made = await many(stand, organisations, seed=seed, records={"accounts": 1, "contacts": 1})
    for sql in (_FORGET, _NEVER_READ):
        await stand.rows(sql, made.practice_id)
    return made


async def until_taken(record: Dispatches, portfolio: Portfolio, count: int) -> None:
    async def as_many() -> bool:
        return len(places_of(portfolio, await record.all())) >= count

    await until(as_many, f"{count} of the many were taken up", seconds=WAIT_SECONDS)


async def until_read(portfolio: Portfolio) -> None:
    async def all_of_them() -> bool:
        return await portfolio.succeeded() == FEW

    await until(all_of_them, "the ten are read", seconds=WAIT_SECONDS)


def places_of(portfolio: Portfolio, taken: Sequence[Dispatch]) -> list[int]:
    """Where each sync of these was taken up for the first time, counted from one among all that was."""
    first: dict[UUID, int] = {}
    for place, one in enumerate(taken, 1):
        if one.practice_id == portfolio.practice_id and one.actor == work_run.name:
            first.setdefault(one.job_id, place)
    return list(first.values())
