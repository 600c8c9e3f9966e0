"""One page, one transaction: its records, its tombstones, the cursor and the progress, or nothing of it.

It commits only while the run is live and the job is ours. The organisation is held first, then the run's row is
locked; nobody else writes the organisation's records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tieline.ledger.repository import LedgerRepository, Shown
from tieline.plugins import FeedKind, Page
from tieline.principal import Principal
from tieline.sync.feeds.repository import FeedPlace, FeedRepository
from tieline.sync.intake import Intake
from tieline.sync.plan import Plan, Step
from tieline.sync.repository import RunRepository
from tieline.sync.standing import FeedState, Standing, paged
from tieline.work import Work, retrying, unit_of_work


class Stopped(Exception):
    """Somebody ended the run: nothing of the page is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A page on its way into the tables; `calls` are those since the page before."""

    page: Page
    intake: Intake
    calls: int


@retrying
async def commit_page(plan: Plan, step: Step, taken: Taken) -> Step:
    """Store the page: where the feed stands now. Raises Stopped and ClaimLost."""
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        standing = await hold(plan)
        changed = await _write(work, plan, step, taken)
        ended = await _ended(work, plan, step, standing) if taken.page.last else None
        place = _place(step, taken.page, ended)
        await FeedRepository.of(plan.practice_id).store(
            plan.organisation_id,
            step.feed,
            place,
            is_over=ended is not None and not ended.again,
            at=work.now,
        )
        state = _state(step, standing, ended).with_page(
            records=taken.intake.seen,
            changed=changed + (ended.buried if ended is not None else 0),
            set_aside=len(taken.intake.set_aside),
            calls=taken.calls,
        )
        await RunRepository.of(plan.practice_id).put(
            paged(standing).with_feed(step.feed.name, state), at=work.now
        )
        work.moved_on()
        work.hint("sync_run", plan.run_id)
    return replace(step, place=place, state=state)


async def hold(plan: Plan) -> Standing:
    """The run, locked, with its organisation kept. Raises Stopped."""
    runs = RunRepository.of(plan.practice_id)
    if not await runs.keep_organisation(plan.organisation_id):
        raise Stopped
    standing = await runs.lock(plan.run_id)
    if standing is None:
        raise Stopped
    return standing


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended:
    """What came of the last page: `again` where a snapshot is not believed and read a second time."""

    again: bool
    buried: int


async def _write(work: Work, plan: Plan, step: Step, taken: Taken) -> int:
    """The records; how many of them are not as they were."""
    ledger, intake, changed = LedgerRepository.of(plan.practice_id, plan.organisation_id), taken.intake, 0
    if intake.rows:
        changed += await ledger.upsert(intake.rows, generation=step.place.generation, at=work.now)
    if intake.gone:
        changed += await ledger.remove(intake.gone, at=work.now)
    readable = [row.key for row in intake.rows] + list(intake.gone)
    if readable:
        await ledger.readable(readable)
    if intake.set_aside:
        await ledger.set_aside(intake.set_aside, feed=step.feed.name, at=work.now)
        if step.feed.kind is FeedKind.SNAPSHOT:
            await ledger.keep(intake.set_aside, generation=step.place.generation)
    return changed


async def _ended(work: Work, plan: Plan, step: Step, standing: Standing) -> _Ended:
    """The feed's reading is over; a snapshot that was believed buries what it did not show."""
    if step.feed.kind is not FeedKind.SNAPSHOT:
        return _Ended(again=False, buried=0)
    ledger = LedgerRepository.of(plan.practice_id, plan.organisation_id)
    generation, datasets = step.place.generation, step.feed.datasets
    if not standing.feed(step.feed.name).doubted and is_doubtful(
        await ledger.shown(datasets, generation=generation)
    ):
        return _Ended(again=True, buried=0)
    if standing.started_at is not None:
        await ledger.forget_set_aside(datasets, feed=step.feed.name, before=standing.started_at)
    return _Ended(again=False, buried=await ledger.bury(datasets, generation=generation, at=work.now))


def is_doubtful(shown: Mapping[str, Shown]) -> bool:
    """Whether a dataset lost more than half of its records."""
    return any(each.unseen * 2 > each.live for each in shown.values())


def _place(step: Step, page: Page, ended: _Ended | None) -> FeedPlace:
    """Where to go on; a snapshot that has ended, believed or not, is not gone on with."""
    if ended is None or step.feed.kind is not FeedKind.SNAPSHOT:
        return replace(step.place, cursor=page.cursor)
    return replace(step.place, cursor=None)


def _state(step: Step, standing: Standing, ended: _Ended | None) -> FeedState:
    state = standing.feed(step.feed.name)
    if step.feed.kind is FeedKind.SNAPSHOT:
        state = replace(state, generation=step.place.generation)
    if ended is None:
        return state
    if ended.again:
        return replace(state, generation=None, doubted=True)
    return replace(state, done=True)
