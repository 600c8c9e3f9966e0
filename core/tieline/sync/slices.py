"""A slice: some of a run's pages, each committed as it comes, for at most half a minute; then others have their turn.

begin ── for each open feed: pull a page, commit it, look at the clock ── finish
             └── an error: `outcomes` says what becomes of the run
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tieline import clock, metrics
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.credentials.service import open_session
from tieline.events.kinds import SyncSucceeded
from tieline.ids import CredentialId, PracticeId, RunId
from tieline.log import fields_of, get_logger
from tieline.plugins import CursorTooOld, Session
from tieline.principal import Principal
from tieline.sync.commit import Stopped, Taken, commit_anew, commit_page, hold
from tieline.sync.due.times import next_day
from tieline.sync.failing import client_of, fail
from tieline.sync.intake import Misbehaved, take_in
from tieline.sync.outcomes import CutShort, outcome
from tieline.sync.plan import Hopeless, Plan, Step, begin, feed_names, working
from tieline.sync.pulling import Pull
from tieline.sync.repository import RunRepository, set_next_syncs, set_synced
from tieline.sync.runs import PARTIAL, RunState
from tieline.sync.standing import FeedState, Standing, ended
from tieline.work import Again, retrying, unit_of_work

SLICE_SECONDS = 30.0
MAX_PAGES = 20_000

log = get_logger(__name__)


@dataclass(slots=True)
class _Slice:
    """What a slice has done so far. `calls` are those, by feed, that are in no committed page."""

    plan: Plan
    over_at: float
    pages: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    sessions: dict[CredentialId, Session] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return asyncio.get_running_loop().time() >= self.over_at

    async def session(self, step: Step) -> Session:
        session = self.sessions.get(step.credential_id)
        if session is None:
            session = await open_session(
                self.plan.practice_id,
                step.credential_id,
                organisation=self.plan.external_id,
                lane=self.plan.lane,
            )
            self.sessions[step.credential_id] = session
        return session


async def work_slice(
    practice_id: PracticeId, run_id: RunId, *, seconds: float = SLICE_SECONDS
) -> Again | None:
    """Work the run for so long; due again at once while something is left, later while it has to wait."""
    plan = await begin(practice_id, run_id)
    if plan is None:
        return None
    if isinstance(plan, Hopeless):
        await fail(practice_id, run_id, plan.reason, plan.message, calls={})
        _count(plan, "failed")
        return None
    try:
        return await _work(_Slice(plan=plan, over_at=asyncio.get_running_loop().time() + seconds))
    except Stopped:
        log.info("sync.stopped", run_id=str(run_id))
        _count(plan, "stopped")
        return None


def _count(plan: Plan | Hopeless, outcome: str) -> None:
    metrics.runs.labels(plan.slug, plan.trigger.value, outcome).inc()


async def _work(slice_: _Slice) -> Again | None:
    plan = slice_.plan
    for step in plan.steps:
        try:
            is_done = await _read(slice_, step)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - what is not the provider's or the plugin's is raised again
            log.warning("sync.cut_short", run_id=str(plan.run_id), feed=step.feed.name, **fields_of(error))
            session = slice_.sessions.get(step.credential_id)
            cut = CutShort(plan=plan, step=step, pages=slice_.pages, calls=slice_.calls, session=session)
            again = await outcome(cut, error)
            if again is None:
                _count(plan, "failed")
            return again
        if not is_done or slice_.is_over:
            break
    return await _finish(plan)


async def _read(slice_: _Slice, step: Step) -> bool:
    """Read a feed until it is done, or the slice is over. What is not believed is read again."""
    while not step.state.done and not (slice_.is_over and slice_.pages):
        try:
            step = await _pull(slice_, step)
        except CursorTooOld:
            step = await commit_anew(slice_.plan, step)
    return step.state.done


async def _pull(slice_: _Slice, step: Step) -> Step:
    session, plan = await slice_.session(step), slice_.plan
    session.halved, session.asked_size = step.state.halved, None
    async with Pull(plan.provider, session, step.feed, step.place.cursor) as pull:
        while True:
            if step.state.pages >= MAX_PAGES:
                raise Misbehaved(
                    f"gave {MAX_PAGES:,} pages of its feed {step.feed.name!r} and comes to no end"
                )
            before = session.calls
            try:
                page = await pull.next()
            finally:
                slice_.calls[step.feed.name] = slice_.calls.get(step.feed.name, 0) + session.calls - before
            intake = await asyncio.to_thread(take_in, page, step.feed)
            taken = Taken(page=page, intake=intake, calls=slice_.calls[step.feed.name])
            before_page, step = step, await commit_page(plan, step, taken)
            _count_page(plan, before_page.state, step.state, taken)
            slice_.calls.pop(step.feed.name)
            slice_.pages += 1
            if page.last or slice_.is_over:
                return _anew(step) if page.last else step


def _count_page(plan: Plan, before: FeedState, after: FeedState, taken: Taken) -> None:
    """What is stored. A reading of everything may bury more, at its last page: that has changed, too."""
    metrics.pages.labels(plan.slug).inc()
    changed = max(after.changed - before.changed, 0)
    kinds = {
        "seen": taken.intake.seen,
        "changed": changed,
        "set_aside": len(taken.intake.set_aside),
        "gone": len(taken.intake.gone),
    }
    for kind, number in kinds.items():
        metrics.records.labels(plan.slug, kind).inc(number)


def _anew(step: Step) -> Step:
    """After a reading that was not believed, the next generation."""
    return step if step.state.done else step.read_again()


@retrying
async def _finish(plan: Plan) -> Again | None:
    """The run succeeded once nothing is left of it; feeds may have been added meanwhile."""
    async with unit_of_work(Principal.machine(plan.practice_id)) as work:
        await OrganisationRepository.of(plan.practice_id).lock([plan.organisation_id])
        standing = await hold(plan)
        if standing.open_feeds:
            return Again(clock.now())
        over = ended(standing, RunState.SUCCEEDED, at=work.now)
        await RunRepository.of(plan.practice_id).put(over, at=work.now)
        if await _is_whole(plan, over):
            if over.wanted:
                await set_synced(plan.practice_id, plan.organisation_id, at=work.now)
            await set_next_syncs(plan.practice_id, {plan.organisation_id: next_day(work.now)})
        work.hint("sync_run", plan.run_id)
        for client_id in await client_of(plan.practice_id, plan.organisation_id):
            work.event(
                SyncSucceeded(client_id=client_id, organisation_id=plan.organisation_id, run_id=plan.run_id)
            )
    log.info("sync.succeeded", run_id=str(plan.run_id))
    _count(plan, "succeeded")
    if over.started_at is not None and over.finished_at is not None:
        metrics.run_seconds.labels(plan.slug).observe((over.finished_at - over.started_at).total_seconds())
    return None


async def _is_whole(plan: Plan, standing: Standing) -> bool:
    """Whether the books are up to date now: after a run of some feeds only where they are all there are."""
    if standing.trigger not in PARTIAL:
        return True
    connections = await working(plan.practice_id, plan.organisation_id)
    return all(feed_names(plan.provider, each) <= set(standing.wanted) for each in connections)
