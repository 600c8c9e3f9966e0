"""The gate of real calls: a place among all limits is waited for, and given back with what the answer said.

call ── line ── take ─┬─ go ─────────── the call ── settle
                 ▲    ├─ a short wait ─ slept through ─┐
                 │    └─ a long one ─── QuotaSpent     │
                 └─────────────────────────────────────┘
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from tieline import clock, metrics
from tieline.errors import QuotaSpent
from tieline.plugins.faults import Throttled
from tieline.plugins.gate import Passage
from tieline.plugins.limits import Limit, LimitKind, Remaining
from tieline.quota.calls import Call, Meter
from tieline.quota.lasting import Lasting
from tieline.quota.lines import Line
from tieline.quota.process import Quota, Ticket
from tieline.quota.script import PROBE_EVERY, RESTART, UNANSWERED, Outcome, Refusal, Wait
from tieline.work.actor import Lane

PATIENCE = timedelta(seconds=10)
RESERVE = 0.1
_UNSAID = timedelta(minutes=1)
_LONGEST = timedelta(days=32)
_LONGEST_NAME = 32
_LINE = "line"
_OURS = frozenset({_LINE, RESTART})
_SOONEST_RESUME = timedelta(seconds=1)


@dataclass(slots=True)
class _OnItsWay:
    """One call; `limits` are the app's."""

    limits: tuple[Limit, ...]
    outcome: Outcome = UNANSWERED

    def answered(self, remaining: Sequence[Remaining], throttled: Throttled | None) -> None:
        self.outcome = Outcome(
            answered=True,
            left={one.limit: one.left for one in remaining},
            refusal=None if throttled is None else _refusal(throttled, self.limits),
        )


class RedisGate:
    """The gate of one app's calls. `reserve` of each day is left to calls of the lane INTERACTIVE."""

    def __init__(
        self,
        quota: Quota,
        *,
        meter: Meter,
        limits: tuple[Limit, ...],
        lane: Lane,
        lasting: Lasting,
        patience: timedelta = PATIENCE,
        reserve: float = RESERVE,
    ) -> None:
        self._quota = quota
        self._meter = meter
        self._limits = limits
        self._lane = lane
        self._lasting = lasting
        self._patience = patience.total_seconds()
        self._reserve = 0.0 if lane is Lane.INTERACTIVE else reserve

    @asynccontextmanager
    async def call(self, organisation: str | None) -> AsyncIterator[Passage]:
        """A place for one call. Raises QuotaSpent."""
        wanted = Call.of(self._meter, organisation, self._limits, reserve=self._reserve)
        ticket = await self._ticket(wanted)
        passage = _OnItsWay(limits=self._limits)
        try:
            yield passage
        finally:
            await self._quota.finish(ticket, passage.outcome, self._lasting)

    async def _ticket(self, call: Call) -> Ticket:
        """Those who wait in this process ask one after the other; time in the line is part of the patience."""
        began = time.monotonic()
        deadline = began + self._patience
        async with self._quota.lines.stand(call.meter, call.organisation, self._lane) as line:
            await self._turn(line, deadline)
            try:
                ticket = await self._first_in(line, call, deadline)
            finally:
                line.turn.release()
        metrics.quota_wait_seconds.labels(self._meter.provider).observe(time.monotonic() - began)
        return ticket

    async def _turn(self, line: Line, deadline: float) -> None:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await line.turn.acquire()
        except TimeoutError:
            raise self._spent(line.refusal) from None

    async def _first_in(self, line: Line, call: Call, deadline: float) -> Ticket:
        while True:
            line.freed.clear()
            taken = await self._quota.take(call, self._lasting)
            if isinstance(taken, Ticket):
                line.refused(None)
                return taken
            line.refused(taken)
            pause = line.pause(taken)
            if time.monotonic() + pause > deadline:
                raise self._spent(taken)
            self._count(taken.limit, "slept")
            await line.sleep(pause, soon=taken.soon)

    def _spent(self, refusal: Wait | None) -> QuotaSpent:
        soonest = clock.now() + _SOONEST_RESUME
        self._count(_LINE if refusal is None else refusal.limit, "spent")
        if refusal is None:
            return QuotaSpent(self._meter.provider, limit=_LINE, resume_at=soonest)
        return QuotaSpent(self._meter.provider, limit=refusal.limit, resume_at=max(refusal.until, soonest))

    def _count(self, limit: str, kind: str) -> None:
        """A provider may call a limit what it likes; what the plugin does not name is counted as `other`."""
        known = limit in _OURS or any(limit == one.name for one in self._limits)
        metrics.quota_waits.labels(self._meter.provider, limit if known else "other", kind).inc()


def _refusal(fault: Throttled, limits: Sequence[Limit]) -> Refusal:
    """How long to believe it: as long as the provider said, or what fits the limit."""
    named = next((limit for limit in limits if limit.name == fault.limit), None)
    wait = _usual(named) if fault.retry_after is None else fault.retry_after
    return Refusal(limit=fault.limit[:_LONGEST_NAME], scope=fault.scope, wait=min(wait, _LONGEST))


def _usual(limit: Limit | None) -> timedelta:
    if limit is None:
        return _UNSAID
    if limit.kind is LimitKind.CONCURRENCY:
        return timedelta(seconds=random.uniform(0.5, 1.5))  # noqa: S311 - spreads callers, hides nothing
    return PROBE_EVERY if limit.window is None else limit.window
