"""The quota of one process while Redis is away: a part of each limit, one call at a time, known blocks heeded.

Nobody counts together meanwhile, so each process keeps to a quarter of a rate. Days go by what the last
answers said was left; where they said nothing, only rate and blocks hold. What is noted is bounded; long blocks and
days that are spent are never dropped for that.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from tieline import clock
from tieline.errors import LimitScope
from tieline.plugins.limits import Limit, LimitKind
from tieline.quota.calls import Call, Meter
from tieline.quota.lasting import LONG, Block
from tieline.quota.script import PROBE_EVERY, Wait

_Key: TypeAlias = tuple[Meter, str | None, str]
_T = TypeVar("_T")
_SHARE = 4
_NONE = timedelta(0)
_MOST_ENTRIES = 10_000


class Careful:
    """Blocks and what is left of a day are noted all the time, so that they are there when Redis is not."""

    def __init__(self) -> None:
        self._blocks: dict[_Key, datetime] = {}
        self._left: dict[_Key, tuple[int, datetime]] = {}
        self._flying: set[tuple[Meter, str]] = set()
        self._sent: dict[_Key, deque[float]] = {}

    def block(self, meter: Meter, block: Block) -> None:
        key = (meter, block.organisation, block.limit)
        long_from = clock.now() + LONG
        until = max(block.until, self._blocks.get(key, block.until))
        _note(self._blocks, key, until, holds=lambda end: end >= long_from)

    def told(self, call: Call, left: Mapping[str, int]) -> None:
        """What an answer said; only days are kept."""
        now = clock.now()
        for limit in call.limits:
            if limit.kind is LimitKind.DAY and limit.name in left:
                figure = left[limit.name], now
                _note(self._left, _key(call, limit), figure, holds=lambda one: _is_spent(*one, now))

    def take(self, call: Call) -> Wait | None:
        """Why the call has to wait; None when it may start, until `free`."""
        now, tick = clock.now(), time.monotonic()
        refused = [wait for wait in self._refusals(call, now, tick) if wait is not None]
        if refused:
            return max(refused, key=lambda wait: wait.seconds)
        for limit in call.limits:
            key = _key(call, limit)
            if limit.counted_over is not None:
                sent = self._sent.get(key, deque(maxlen=_share(limit)))
                sent.append(tick)
                _note(self._sent, key, sent, holds=lambda _: False)
            elif limit.kind is LimitKind.DAY and key in self._left:
                left, told_at = self._left[key]
                self._left[key] = max(0, left - 1), told_at
        if call.organisation is not None:
            self._flying.add((call.meter, call.organisation))
        return None

    def free(self, call: Call) -> None:
        if call.organisation is not None:
            self._flying.discard((call.meter, call.organisation))

    def _refusals(self, call: Call, now: datetime, tick: float) -> list[Wait | None]:
        if call.organisation is not None and (call.meter, call.organisation) in self._flying:
            return [Wait(limit="concurrent", until=now, seconds=0, soon=True)]
        return [self._blocked(call, now), *(self._spent(call, limit, now, tick) for limit in call.limits)]

    def _blocked(self, call: Call, now: datetime) -> Wait | None:
        standing = {
            limit: until
            for (meter, organisation, limit), until in self._blocks.items()
            if meter == call.meter and organisation in {None, call.organisation} and until > now
        }
        if not standing:
            return None
        limit = max(standing, key=lambda name: standing[name])
        return _wait(limit, now, standing[limit] - now)

    def _spent(self, call: Call, limit: Limit, now: datetime, tick: float) -> Wait | None:
        key = _key(call, limit)
        if limit.kind is LimitKind.DAY:
            left, told_at = self._left.get(key, (limit.most, now))
            over = told_at + PROBE_EVERY - now
            return _wait(limit.name, now, over) if left <= call.floor(limit) and over > _NONE else None
        sent = self._sent.get(key)
        window = limit.counted_over
        if sent and window is not None and len(sent) >= _share(limit):
            over = timedelta(seconds=sent[0] - tick) + window
            return _wait(limit.name, now, over) if over > _NONE else None
        return None


def _share(limit: Limit) -> int:
    return max(1, limit.most // _SHARE)


def _wait(limit: str, now: datetime, over: timedelta) -> Wait:
    return Wait(limit=limit, until=now + over, seconds=over.total_seconds(), soon=False)


def _key(call: Call, limit: Limit) -> _Key:
    whose = call.organisation if limit.scope is LimitScope.ORGANISATION else None
    return call.meter, whose, limit.name


def _is_spent(left: int, told_at: datetime, now: datetime) -> bool:
    return left <= 0 and told_at + PROBE_EVERY > now


def _note(entries: dict[_Key, _T], key: _Key, value: _T, *, holds: Callable[[_T], bool]) -> None:
    """Note it as the latest. Where there are too many, half of those go that need not hold, the oldest first."""
    entries.pop(key, None)
    if len(entries) >= _MOST_ENTRIES:
        idle = [each for each, one in entries.items() if not holds(one)]
        for each in idle[: (len(idle) + 1) // 2]:
            del entries[each]
    entries[key] = value
