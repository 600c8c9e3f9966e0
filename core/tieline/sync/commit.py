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
from tieline.sync.feeds.times import is_full_read_due
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
        ended = await _ended(work, plan, step, standing, taken.page) if taken.page.last else None
        place, feeds = _place(step, taken.page, ended), FeedRepository.of(plan.practice_id)
        is_over = ended is not None and not ended.again
        await feeds.store(plan.organisation_id, step.feed, place, is_over=is_over, at=work.now)
        if ended is not None and ended.anew:
            place = await feeds.begin_anew(plan.organisation_id, step.feed, place, at=work.now)
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


@retrying
async def commit_anew(plan: Plan, step: Step) -> Step:
    """Its cursor leads nowhere any more: the feed is read as if for the first time. Raises Stopped and ClaimLost.

    A snapshot is another one from here on, whoever reads it: what the first part of the old one showed may be gone.
    """
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        standing, name = await hold(plan), step.feed.name
        begun_anew = standing.with_feed(name, replace(standing.feed(name), generation=None))
        await RunRepository.of(plan.practice_id).put(begun_anew, at=work.now)
        feeds = FeedRepository.of(plan.practice_id)
        place = await feeds.begin_anew(plan.organisation_id, step.feed, step.place, at=work.now)
    return replace(step, place=place).read_again()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended:
    """What came of the last page: `again` where what it shows as whole is not believed and read a second time.

    `anew`: these were changes, and now everything is read.
    """

    again: bool = False
    anew: bool = False
    buried: int = 0


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
        await ledger.keep(intake.set_aside, generation=step.place.generation)
    return changed


async def _ended(work: Work, plan: Plan, step: Step, standing: Standing, page: Page) -> _Ended:
    """The feed's reading is over; one that was whole, and is believed, buries what it did not show.

    Everything is read only after all changes were: what is deleted is told by them, and not shown by a list.
    """
    ledger = LedgerRepository.of(plan.practice_id, plan.organisation_id)
    generation, datasets = step.place.generation, step.feed.datasets
    is_snapshot = step.feed.kind is FeedKind.SNAPSHOT
    is_whole = is_snapshot or page.whole
    if (
        is_whole
        and not standing.feed(step.feed.name).doubted
        and is_doubtful(await ledger.shown(datasets, generation=generation))
    ):
        return _Ended(again=True)
    began_at = standing.started_at if is_snapshot else step.place.full_read_began_at
    if began_at is not None:
        await ledger.forget_set_aside(datasets, feed=step.feed.name, before=began_at)
    return _Ended(
        anew=is_full_read_due(plan.organisation_id, step.feed, step.place, lane=standing.lane, at=work.now),
        buried=await ledger.bury(datasets, generation=generation, at=work.now) if is_whole else 0,
    )


def is_doubtful(shown: Mapping[str, Shown]) -> bool:
    """Whether a dataset lost more than half of its records."""
    return any(each.unseen * 2 > each.live for each in shown.values())


def _place(step: Step, page: Page, ended: _Ended | None) -> FeedPlace:
    """Where to go on; a snapshot that has ended is not gone on with, nor is what was not believed."""
    is_gone_on_with = ended is None or (step.feed.kind is FeedKind.CHANGES and not ended.again)
    return replace(step.place, cursor=page.cursor if is_gone_on_with else None)


def _state(step: Step, standing: Standing, ended: _Ended | None) -> FeedState:
    state = standing.feed(step.feed.name)
    if step.feed.kind is FeedKind.SNAPSHOT:
        state = replace(state, generation=step.place.generation)
    if ended is None:
        return state
    if ended.again:
        return replace(state, generation=None, doubted=True)
    return replace(state, done=not ended.anew)
