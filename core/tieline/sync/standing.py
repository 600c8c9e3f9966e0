"""Where a run stands while it is worked, and how it may go on: values and pure functions, no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from tieline.ids import CredentialId, OrganisationId, RunId
from tieline.sync.runs import FeedProgress, RunState, Trigger
from tieline.work.actor import Lane

LONGEST_MESSAGE = 500
LONGEST_LIMIT = 32
MAX_STILL = 3
PATIENCE = timedelta(hours=24)
_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=10)
_WORTH_TELLING = timedelta(minutes=5)
_FAR_LONGER = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedState:
    """How far a feed is. `generation` is that of the snapshot being read, `doubted`: everything is read a second time.

    `halved` is how often its pages were too large; `touched`: a webhook told of it, it is read however lately it was.
    """

    pages: int = 0
    records: int = 0
    changed: int = 0
    set_aside: int = 0
    calls: int = 0
    done: bool = False
    generation: int | None = None
    doubted: bool = False
    halved: int = 0
    touched: bool = False

    def with_page(self, *, records: int, changed: int, set_aside: int, calls: int) -> FeedState:
        return replace(
            self,
            pages=self.pages + 1,
            records=self.records + records,
            changed=self.changed + changed,
            set_aside=self.set_aside + set_aside,
            calls=self.calls + calls,
        )

    def shown(self, feed: str) -> FeedProgress:
        return FeedProgress(
            feed=feed,
            pages=self.pages,
            records=self.records,
            changed=self.changed,
            set_aside=self.set_aside,
            calls=self.calls,
            done=self.done,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A run as its row says, with what only the engine needs.

    `still_slices` counts slices in a row that used up calls and brought no page; `trouble_since` is when the provider
    ceased to answer, or to do more than refuse. `told_limit` and `told_wait` are the pause that people were told of
    last, until a slice comes to its end.
    """

    id: RunId
    organisation_id: OrganisationId
    credential_id: CredentialId
    state: RunState
    trigger: Trigger
    lane: Lane
    wanted: tuple[str, ...]
    feeds: Mapping[str, FeedState]
    limit_name: str | None
    resume_at: datetime | None
    reason: str | None
    message: str | None
    still_slices: int
    trouble_since: datetime | None
    told_limit: str | None
    told_wait: timedelta | None
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def open_feeds(self) -> list[str]:
        """The feeds that are not done, in the order in which they are read."""
        return [feed for feed in self.wanted if not self.feed(feed).done]

    def feed(self, name: str) -> FeedState:
        return self.feeds.get(name) or FeedState()

    def with_feed(self, name: str, state: FeedState) -> Standing:
        return replace(self, feeds={**self.feeds, name: state})

    def with_calls(self, calls: Mapping[str, int]) -> Standing:
        """Count calls that brought no page."""
        standing = self
        for feed, number in calls.items():
            state = standing.feed(feed)
            if number:
                standing = standing.with_feed(feed, replace(state, calls=state.calls + number))
        return standing


def begun(standing: Standing, wanted: Sequence[str], *, at: datetime) -> Standing:
    """A slice begins, on those of the feeds that something still wants. The one before came to its end, or paused."""
    if standing.state is RunState.RUNNING:
        standing = replace(standing, told_limit=None, told_wait=None)
    return replace(
        standing,
        state=RunState.RUNNING,
        wanted=tuple(wanted),
        limit_name=None,
        resume_at=None,
        message=None,
        started_at=standing.started_at or at,
    )


def paged(standing: Standing) -> Standing:
    """A page was committed: whatever was in the way is over."""
    return replace(standing, still_slices=0, trouble_since=None)


def paused(
    standing: Standing, limit: str, resume_at: datetime, message: str, *, is_still: bool
) -> Standing | None:
    """A limit is spent, which is no trouble.

    `is_still`: the slice used up several calls, and yet brought no page; None after three.
    """
    still_slices = standing.still_slices + is_still
    if still_slices >= MAX_STILL:
        return None
    return replace(
        standing,
        state=RunState.PAUSED,
        limit_name=limit[:LONGEST_LIMIT],
        resume_at=resume_at,
        message=message[:LONGEST_MESSAGE],
        still_slices=still_slices,
        trouble_since=None,
    )


def told(standing: Standing, *, at: datetime) -> Standing | None:
    """A pause that people should hear of; None where it is short, or they have heard of as much.

    When a limit is spent for long, a call now and then finds out whether it still is: a pause may follow on a page.
    """
    if standing.resume_at is None or (wait := standing.resume_at - at) < _WORTH_TELLING:
        return None
    heard = standing.told_wait if standing.told_limit == standing.limit_name else None
    if heard is not None and wait <= heard * _FAR_LONGER:
        return None
    return replace(standing, told_limit=standing.limit_name, told_wait=wait)


def put_off(standing: Standing, message: str, *, at: datetime) -> Standing:
    """The provider is in trouble; the run waits."""
    return replace(
        standing,
        state=RunState.QUEUED,
        message=message[:LONGEST_MESSAGE],
        trouble_since=standing.trouble_since or at,
    )


def refused(
    standing: Standing, limit: str, wait: timedelta, message: str, *, at: datetime
) -> Standing | None:
    """The provider refuses although it was waited for: the pauses grow; None once that has lasted too long."""
    troubled = put_off(standing, message, at=at)
    pause = pause_in_trouble(troubled, at=at)
    if pause is None:
        return None
    return replace(
        troubled, state=RunState.PAUSED, limit_name=limit[:LONGEST_LIMIT], resume_at=at + max(wait, pause)
    )


def pause_in_trouble(standing: Standing, *, at: datetime) -> timedelta | None:
    """As long again as the trouble has lasted, within bounds; None once it has lasted too long."""
    lasted = at - (standing.trouble_since or at)
    return None if lasted >= PATIENCE else min(max(lasted, _FIRST_PAUSE), _LONGEST_PAUSE)


def ended(
    standing: Standing,
    state: RunState,
    *,
    at: datetime,
    reason: str | None = None,
    message: str | None = None,
) -> Standing:
    return replace(
        standing,
        state=state,
        reason=reason,
        message=message[:LONGEST_MESSAGE] if message else None,
        limit_name=None,
        resume_at=None,
        trouble_since=None,
        finished_at=at,
    )


def dump_feeds(feeds: Mapping[str, FeedState]) -> str:
    return json.dumps({name: asdict(state) for name, state in feeds.items()})


def load_feeds(text: str) -> dict[str, FeedState]:
    return {name: FeedState(**fields) for name, fields in json.loads(text).items()}
