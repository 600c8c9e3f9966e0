"""What a paused run says: which limit, in words for people, and how much is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.pretend import Pretend
from tieline.errors import LimitScope
from tieline.ids import CredentialId, OrganisationId, RunId
from tieline.plugins import Limit, LimitKind
from tieline.sync.runs import RunState, Trigger
from tieline.sync.standing import FeedState, Standing
from tieline.sync.why_paused import why_paused
from tieline.work import Lane

NOBODY = UUID(int=0)
MINUTE = timedelta(minutes=1)


class Limited(Pretend):
    """It has a limit of each kind."""

    def limits(self, tier: str | None) -> Sequence[Limit]:
        del tier
        return (
            _limit("concurrent", LimitKind.CONCURRENCY),
            _limit("minute", LimitKind.RATE, window=MINUTE),
            _limit("quarter", LimitKind.RATE, window=MINUTE * 15),
            _limit("app_minute", LimitKind.RATE, window=MINUTE, scope=LimitScope.APP),
            _limit("day", LimitKind.DAY),
            _limit("month", LimitKind.MONTH, scope=LimitScope.APP),
        )


def _limit(
    name: str,
    kind: LimitKind,
    *,
    window: timedelta | None = None,
    scope: LimitScope = LimitScope.ORGANISATION,
) -> Limit:
    return Limit(name=name, scope=scope, kind=kind, most=5, window=window, source="https://pretend.invalid")


def run(*, done: int, of: int) -> Standing:
    feeds = tuple(f"feed {number}" for number in range(of))
    return Standing(
        id=RunId(NOBODY),
        organisation_id=OrganisationId(NOBODY),
        credential_id=CredentialId(NOBODY),
        state=RunState.RUNNING,
        trigger=Trigger.CONNECT,
        lane=Lane.FIRST,
        wanted=feeds,
        feeds={feed: FeedState(done=True) for feed in feeds[:done]},
        limit_name=None,
        resume_at=None,
        reason=None,
        message=None,
        still_slices=0,
        trouble_since=None,
        told_limit=None,
        told_wait=None,
        started_at=None,
        finished_at=None,
    )


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("concurrent", "All of the organisation's calls that Pretend allows at once are taken."),
        ("minute", "What syncs may use of the organisation's minute at Pretend is used up."),
        ("quarter", "What syncs may use of the organisation's limit 'quarter' at Pretend is used up."),
        ("app_minute", "What syncs may use of the app's minute at Pretend is used up."),
        ("day", "What syncs may use of the organisation's day at Pretend is used up."),
        ("month", "What syncs may use of the app's month at Pretend is used up."),
        ("never told of", "The limit 'never told of' of Pretend is spent."),
        ("line", "Other calls at Pretend come first."),
        ("restart", "What was asked of Pretend lately is being counted anew."),
    ],
)
def test_each_limit_has_words(limit: str, said: str) -> None:
    told = why_paused(run(done=12, of=16), Limited(), limit)

    assert told == f"{said} 12 of 16 parts are read, and it goes on from there by itself."


@pytest.mark.parametrize(
    ("done", "of", "said"),
    [
        (0, 16, "0 of 16 parts are"),
        (1, 16, "1 of 16 parts is"),
        (0, 1, "0 of 1 part is"),
        (16, 16, "16 of 16 parts are"),
    ],
)
def test_how_much_is_done_is_said(done: int, of: int, said: str) -> None:
    assert f". {said} read, " in why_paused(run(done=done, of=of), Limited(), "day")
