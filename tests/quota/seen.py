"""What the oracle shows to whoever only looks, written from the words that people read of a quota."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.quota.oracle import DAY, LATE, SKEW, Oracle, Place
from tieline.plugins.limits import Limit, LimitKind
from tieline.quota.calls import Call, milliseconds
from tieline.quota.lasting import Block
from tieline.quota.looking import Figures, Looked
from tieline.quota.script import PROBE_EVERY


def seen(oracle: Oracle, call: Call, real: int, offset: int) -> Looked:
    now = real + offset
    whose = [None] if call.organisation is None else [None, call.organisation]
    blocks = [
        Block(organisation=one, limit=limit, until=_instant(till))
        for one in whose
        for limit, (till, made) in oracle.places.get(one, Place()).blocks.items()
        if till > now and made <= now + SKEW
    ]
    figures = {
        limit.name: _figures(oracle.places.get(call.whose(limit.scope), Place()), call, limit, real, now)
        for limit in call.limits
    }
    by_name = sorted(blocks, key=lambda block: (block.organisation or "", block.limit))
    return Looked(at=_instant(now), figures=figures, blocks=tuple(by_name))


def _figures(place: Place, call: Call, limit: Limit, real: int, now: int) -> Figures:
    if limit.kind is LimitKind.CONCURRENCY:
        return Figures(used=sum(end > real for end in place.flying.values()))
    if limit.kind is LimitKind.RATE:
        assert limit.window is not None
        latest = now + milliseconds(limit.window) + LATE + SKEW
        ends = [end for end in place.counted.get(limit.name, {}).values() if now < end <= latest]
        return Figures(used=len(ends), resets_at=_instant(max(ends)) if ends else None)
    if limit.kind is LimitKind.MONTH:
        return _month(place, call, limit, now)
    return _day(place, call, limit, now)


def _month(place: Place, call: Call, limit: Limit, now: int) -> Figures:
    """The first day after whose end fewer calls count than now, and few enough for another one."""
    days = {
        day: calls
        for day, calls in place.days.get(limit.name, {}).items()
        if (day + 32) * DAY + LATE > now and day * DAY <= now + SKEW
    }
    used = sum(days.values())
    most = min(used - 1, limit.most - call.floor(limit) - 1)
    leaves = [day for day in sorted(days) if sum(days[each] for each in days if each > day) <= most]
    return Figures(used=used, resets_at=_instant((leaves[0] + 32) * DAY + LATE) if leaves else None)


def _day(place: Place, call: Call, limit: Limit, now: int) -> Figures:
    left, told = place.left.get(limit.name), place.told.get(limit.name)
    spent = [floor for floor in (call.floor(limit), 0) if left is not None and left <= floor]
    looks = [place.following.get((limit.name, floor), 0) for floor in spent]
    coming = [at for at in looks if now < at <= now + milliseconds(PROBE_EVERY) + SKEW]
    return Figures(
        left=left,
        looks_again_at=_instant(coming[0]) if coming else None,
        told_at=_instant(told) if told is not None else None,
    )


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
