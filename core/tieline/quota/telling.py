"""What people are told of a quota: what Redis counts, and what outlives it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from tieline.errors import LimitScope
from tieline.plugins.limits import MONTH, Limit, LimitKind
from tieline.quota.calls import LATEST_ARRIVAL, Call
from tieline.quota.lasting import Block, Counted
from tieline.quota.looking import Figures, Looked

_DAY = timedelta(days=1)
_UNKNOWN = Figures()


class Source(StrEnum):
    """Where the figures are from: all that is counted, or the little that is kept where Redis cannot be asked."""

    LIVE = "LIVE"
    STORED = "STORED"


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitTold:
    """One limit. `reserve` of its calls are left to people; figures are None where nobody knows.

    `left` of a DAY is what its provider last said, at `told_at`, less what was called since.
    """

    name: str
    scope: LimitScope
    kind: LimitKind
    most: int
    window: timedelta | None
    reserve: int
    used: int | None
    left: int | None
    resets_at: datetime | None
    looks_again_at: datetime | None
    told_at: datetime | None
    blocked_until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaTold:
    """How it stands with the limits of an organisation's calls, or of an app's.

    `blocks` are those that stand. Until `blocked_until` none passes, because of the limit `blocked_by`; it need not be
    one of `limits`.
    """

    limits: tuple[LimitTold, ...]
    blocks: tuple[Block, ...]
    source: Source
    as_of: datetime

    @property
    def blocked_by(self) -> str | None:
        last = self._last
        return last.limit if last else None

    @property
    def blocked_until(self) -> datetime | None:
        last = self._last
        return last.until if last else None

    @property
    def _last(self) -> Block | None:
        return max(self.blocks, key=lambda block: block.until, default=None)

    def of_organisation(self) -> QuotaTold:
        """What of it is the organisation's own: nothing that calls for others have spent."""
        return replace(
            self,
            limits=tuple(each for each in self.limits if each.scope is LimitScope.ORGANISATION),
            blocks=tuple(block for block in self.blocks if block.organisation is not None),
        )


def tell(
    call: Call, looked: Looked | None, *, blocks: Sequence[Block], days: Sequence[Counted], at: datetime
) -> QuotaTold:
    """`call` leaves the reserve to others; `blocks` and `days` are those that are kept of its app, or more."""
    at = looked.at if looked else at
    standing = _standing(call, (*blocks, *(looked.blocks if looked else ())), at)
    return QuotaTold(
        limits=tuple(_limit(call, limit, looked, standing, days, at) for limit in call.limits),
        blocks=tuple(standing),
        source=Source.LIVE if looked else Source.STORED,
        as_of=at,
    )


def _limit(
    call: Call,
    limit: Limit,
    looked: Looked | None,
    blocks: Sequence[Block],
    days: Sequence[Counted],
    at: datetime,
) -> LimitTold:
    figures = looked.figures.get(limit.name, _UNKNOWN) if looked else _UNKNOWN
    if limit.kind is LimitKind.MONTH:
        kept = _month(call, limit, days, at)
        figures = kept if figures.used is None or (kept.used or 0) > figures.used else figures
    used, left = _day(limit, figures) if limit.kind is LimitKind.DAY else _counted(limit, figures)
    whose = call.whose(limit.scope)
    ends = [block.until for block in blocks if (block.limit, block.organisation) == (limit.name, whose)]
    return LimitTold(
        name=limit.name,
        scope=limit.scope,
        kind=limit.kind,
        most=limit.most,
        window=limit.window,
        reserve=call.reserved(limit),
        used=used,
        left=left,
        resets_at=figures.resets_at,
        looks_again_at=figures.looks_again_at,
        told_at=figures.told_at,
        blocked_until=max(ends, default=None),
    )


def _counted(limit: Limit, figures: Figures) -> tuple[int | None, int | None]:
    used = figures.used
    return used, None if used is None else max(0, limit.most - used)


def _day(limit: Limit, figures: Figures) -> tuple[int | None, int | None]:
    """Where no answer says what is left, nobody knows when the day began, unless it was refused."""
    left = figures.left
    if left is None or (figures.told_at is None and left > 0):
        return None, None
    return max(0, limit.most - left), left


def _month(call: Call, limit: Limit, days: Sequence[Counted], at: datetime) -> Figures:
    """By the days that are kept, as the script counts them."""
    whose = call.whose(limit.scope)
    counting = sorted(
        (
            (_leaves(day), day.calls)
            for day in days
            if (day.limit, day.organisation) == (limit.name, whose) and _begins(day) <= at < _leaves(day)
        ),
    )
    used = sum(calls for _, calls in counting)
    freed = max(1, used + 1 - limit.most + call.reserved(limit))
    for leaves, calls in counting:
        freed -= calls
        if freed < 1:
            return Figures(used=used, resets_at=leaves)
    return Figures(used=used)


def _begins(day: Counted) -> datetime:
    return datetime.combine(day.day, time(0), UTC)


def _leaves(day: Counted) -> datetime:
    """When a day's calls no longer count."""
    return _begins(day) + _DAY + MONTH + LATEST_ARRIVAL


def _standing(call: Call, blocks: Sequence[Block], at: datetime) -> list[Block]:
    whose = {None, call.organisation}
    return [block for block in blocks if block.organisation in whose and block.until > at]
