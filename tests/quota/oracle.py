"""The quota in plain Python, written from the rules and not from the script: what should be answered, and when.

A month counts calls by the day of UTC in which they began; a day counts until 31 days after its end, and as long as a
call may take to arrive. What is forgotten is forgotten here, too: `memory` is the name that it had.

Instants are milliseconds, as in Redis: `real` is not moved by anybody, `now` is real and the offset.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from tieline.errors import LimitScope
from tieline.plugins.limits import Limit, LimitKind
from tieline.quota.calls import Call, milliseconds
from tieline.quota.lasting import Block, Counted
from tieline.quota.script import PROBE_AGAIN, PROBE_EVERY, Outcome

SKEW = LATE = 5_000
DAY = 86_400_000
EPOCH = date(1970, 1, 1)


@dataclass
class Place:
    """What is known of the app, or of one organisation."""

    flying: dict[str, int] = field(default_factory=dict)
    moves: int = 0
    blocks: dict[str, tuple[int, int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    probe: dict[str, str] = field(default_factory=dict)
    following: dict[tuple[str, int], int] = field(default_factory=dict)
    is_sure: bool = False
    counted: dict[str, dict[str, int]] = field(default_factory=dict)
    days: dict[str, dict[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    limit: str
    till: int
    soon: bool


@dataclass
class Oracle:
    """One app's quota. `life` is how long a call may be in flight."""

    since: int = 0
    memory: str | None = None
    places: dict[str | None, Place] = field(default_factory=dict)

    def forget(self) -> None:
        self.memory = None
        self.places.clear()

    def join(
        self,
        blocks: Iterable[Block],
        days: Iterable[Counted],
        real: int,
        offset: int,
        *,
        memory: str,
        before: str,
        quiet: int,
    ) -> str:
        """Who knew another memory has all wait for the others; what is said of blocks and days counts in any case."""
        now = real + offset
        if self.memory is None:
            self.memory, self.since = memory, real
        if before not in {"", self.memory}:
            self._block(None, "restart", now + quiet, now)
        for block in blocks:
            self._block(block.organisation, block.limit, round(block.until.timestamp() * 1000), now)
        for one in days:
            counted = self._at(one.organisation).days.setdefault(one.limit, {})
            day = (one.day - EPOCH).days
            counted[day] = max(one.calls, counted.get(day, 0))
        return self.memory

    def rejoin(self, call: Call, real: int, offset: int, life: int) -> None:
        """It has been in flight all the time, and counts as if it had begun now. Days are told otherwise."""
        for place in self._touched(call):
            place.flying[call.id] = real + life
            place.moves += 1
        for limit in call.limits:
            if limit.kind is LimitKind.RATE:
                self._count(call, limit, real + offset)

    def refusals(self, call: Call, real: int, offset: int, life: int) -> list[Refused]:
        """All that speaks against the call; empty when it goes."""
        now = real + offset
        touched = self._touched(call)
        for place in touched:
            place.flying = {one: end for one, end in place.flying.items() if end > real}
            place.blocks = {
                name: (till, made)
                for name, (till, made) in place.blocks.items()
                if till > now and made <= now + SKEW
            }
        found = [
            Refused(name, till, soon=False) for place in touched for name, (till, _) in place.blocks.items()
        ]
        found += [refused for limit in call.limits for refused in self._limit(call, limit, now, life)]
        if real < self.since + _doubt(call) and not touched[1].is_sure and touched[1].flying:
            found.append(Refused("restart", now, soon=True))
        return found

    def take(self, call: Call, real: int, offset: int, life: int) -> tuple[int, ...]:
        now = real + offset
        for limit in call.limits:
            place = self._place(call, limit)
            if limit.kind is LimitKind.RATE:
                self._count(call, limit, now)
            elif limit.kind is LimitKind.MONTH:
                days = place.days.setdefault(limit.name, {})
                days[now // DAY] = days.get(now // DAY, 0) + 1
            elif limit.kind is LimitKind.DAY:
                left, floor = place.left.get(limit.name, limit.most), call.floor(limit)
                place.left[limit.name] = max(0, left - 1)
                if left <= floor:
                    place.probe[limit.name] = call.id
                    place.following[limit.name, floor] = now + milliseconds(PROBE_EVERY)
        for place in self._touched(call):
            place.flying[call.id] = real + life
            place.moves += 1
        return tuple(place.moves for place in self._touched(call))

    def settle(
        self, call: Call, granted: int, seqs: tuple[int, ...], outcome: Outcome, real: int, offset: int
    ) -> None:
        now = real + offset
        touched = self._touched(call)
        for place in touched:
            place.flying = {one: end for one, end in place.flying.items() if end > real and one != call.id}
        alone = {
            id(place): not place.flying and place.moves == seq
            for place, seq in zip(touched, seqs, strict=False)
        }
        for place in touched:
            place.moves += 1
        for limit in call.limits:
            place = self._place(call, limit)
            left = outcome.left.get(limit.name)
            if limit.kind is LimitKind.RATE:
                self._settle_rate(call, limit, granted, left, now, alone=alone[id(place)])
            elif limit.kind is LimitKind.MONTH and left is not None:
                days = self._counting(place, limit, now)
                more = _allowed(call, limit) - max(0, left - call.floor(limit)) - sum(days.values())
                if more > 0:
                    days[now // DAY] = days.get(now // DAY, 0) + more
            elif limit.kind is LimitKind.DAY:
                self._settle_day(call, limit, outcome, now, alone=alone[id(place)])
        if outcome.refusal is not None:
            self._refuse(call, outcome, now)

    def _refuse(self, call: Call, outcome: Outcome, now: int) -> None:
        refusal = outcome.refusal
        assert refusal is not None
        self._block(call.whose(refusal.scope), refusal.limit, now + milliseconds(refusal.wait), now)
        for limit in call.limits:
            if limit.kind is LimitKind.DAY and limit.name == refusal.limit:
                self._place(call, limit).left[limit.name] = 0

    def _block(self, whose: str | None, limit: str, till: int, now: int) -> None:
        blocks = self._at(whose).blocks
        blocks[limit] = max(till, blocks.get(limit, (0, 0))[0]), now

    def _count(self, call: Call, limit: Limit, now: int) -> None:
        assert limit.window is not None
        counted = self._place(call, limit).counted.setdefault(limit.name, {})
        counted[call.id] = now + milliseconds(limit.window) + LATE

    def _limit(self, call: Call, limit: Limit, now: int, life: int) -> Iterator[Refused]:
        place = self._place(call, limit)
        if limit.kind is LimitKind.CONCURRENCY:
            if len(place.flying) >= limit.most:
                yield Refused(limit.name, now, soon=True)
        elif limit.kind is LimitKind.RATE:
            yield from self._rate(place, limit, now, life)
        elif limit.kind is LimitKind.MONTH:
            yield from self._month(place, limit, now, most=_allowed(call, limit))
        elif place.left.get(limit.name, limit.most) <= call.floor(limit):
            following = place.following.get((limit.name, call.floor(limit)), 0)
            if place.probe.get(limit.name) in place.flying:
                yield Refused(limit.name, now, soon=True)
            elif now < following <= now + milliseconds(PROBE_EVERY) + SKEW:
                yield Refused(limit.name, following, soon=False)

    def _rate(self, place: Place, limit: Limit, now: int, life: int) -> Iterator[Refused]:
        assert limit.window is not None
        latest = now + milliseconds(limit.window) + LATE + SKEW
        counted = place.counted.setdefault(limit.name, {})
        for one in [one for one, end in counted.items() if end <= now - life or end > latest]:
            del counted[one]
        ends = sorted((end, one) for one, end in counted.items() if end > now)
        if len(ends) < limit.most:
            return
        end, one = ends[len(ends) - limit.most]
        if one in place.flying:
            end = max(end - LATE, now)
        yield Refused(limit.name, end, soon=end <= now)

    def _month(self, place: Place, limit: Limit, now: int, *, most: int) -> Iterator[Refused]:
        """The first day after whose end enough calls are left, so that one more fits."""
        days = self._counting(place, limit, now)
        if sum(days.values()) >= most:
            leave = next(
                day for day in sorted(days) if sum(calls for each, calls in days.items() if each > day) < most
            )
            yield Refused(limit.name, (leave + 32) * DAY + LATE, soon=False)

    def _counting(self, place: Place, limit: Limit, now: int) -> dict[int, int]:
        place.days[limit.name] = {
            day: calls
            for day, calls in place.days.get(limit.name, {}).items()
            if (day + 32) * DAY + LATE > now and day * DAY <= now + SKEW
        }
        return place.days[limit.name]

    def _settle_rate(
        self, call: Call, limit: Limit, granted: int, left: int | None, now: int, *, alone: bool
    ) -> None:
        assert limit.window is not None
        place = self._place(call, limit)
        counted = place.counted.setdefault(limit.name, {})
        end = now + milliseconds(limit.window)
        if call.id in counted:
            counted[call.id] = min(counted[call.id], end)
        if left is None:
            return
        if limit.scope is LimitScope.ORGANISATION:
            place.is_sure = True
        used = min(limit.most, max(0, limit.most - left))
        known = sum(one > granted for one in counted.values())
        counted |= {f"{call.id}:{nth}": end for nth in range(1, used - known + 1)}
        if alone:
            standing = sorted((one, name) for name, one in counted.items() if one > now)
            for _, name in standing[: max(0, len(standing) - used)]:
                del counted[name]

    def _settle_day(self, call: Call, limit: Limit, outcome: Outcome, now: int, *, alone: bool) -> None:
        place, name = self._place(call, limit), limit.name
        told = outcome.left.get(name)
        is_probe = place.probe.get(name) == call.id
        if told is not None:
            least = max(0, told - len(place.flying))
            place.left[name] = told if alone else min(least, place.left.get(name, math.inf))  # type: ignore[assignment]
        elif is_probe and outcome.answered and outcome.refusal is None and name not in place.told:
            place.left[name] = limit.most
        elif is_probe:
            place.following[name, call.floor(limit)] = now + milliseconds(PROBE_AGAIN)
        if told is not None:
            place.told[name] = now
            if told <= call.floor(limit):
                place.following[name, call.floor(limit)] = now + milliseconds(PROBE_EVERY)
        if is_probe:
            del place.probe[name]

    def told(self, call: Call, real: int, offset: int) -> tuple[Counted, ...]:
        """What is said of the months of a call that was taken."""
        day = (real + offset) // DAY
        return tuple(
            Counted(
                organisation=call.whose(limit.scope),
                limit=limit.name,
                day=EPOCH + timedelta(days=day),
                calls=self._place(call, limit).days[limit.name][day],
            )
            for limit in call.limits
            if limit.kind is LimitKind.MONTH
        )

    def _touched(self, call: Call) -> list[Place]:
        whose = (None,) if call.organisation is None else (None, call.organisation)
        return [self._at(one) for one in whose]

    def _place(self, call: Call, limit: Limit) -> Place:
        return self._at(call.whose(limit.scope))

    def _at(self, whose: str | None) -> Place:
        return self.places.setdefault(whose, Place())


def _doubt(call: Call) -> int:
    """How long after Redis forgot an organisation may have more calls behind it than is known: its longest window."""
    if call.organisation is None:
        return 0
    rates = [
        limit.window
        for limit in call.limits
        if limit.scope is LimitScope.ORGANISATION and limit.window is not None
    ]
    return milliseconds(max(rates)) + LATE


def _allowed(call: Call, limit: Limit) -> int:
    """What of a month is for this call: a share of it is left to others."""
    return limit.most - call.floor(limit)
