"""The Lua script in Python's terms: each verb a method, each answer a type.

It raises what the Redis client raises, and TimeoutError after a second without an answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any, TypeAlias

from redis.asyncio import Redis

from tieline import clock
from tieline.errors import LimitScope
from tieline.quota.calls import Call, Meter, milliseconds, place_of
from tieline.quota.lasting import Block, Counted
from tieline.quota.looking import Looked, read_look

PROBE_EVERY = timedelta(hours=1)
RESTART = "restart"
"""What a wait is called that comes of Redis's forgetting, not of a limit."""
PROBE_AGAIN = timedelta(seconds=10)
IN_FLIGHT = timedelta(seconds=60)
ANSWER_SECONDS = 1.0
_FIRST_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, kw_only=True, slots=True)
class Go:
    """All limits of the call are taken: when, by the calendar, and as which call of the app and organisation.

    `days` is what this day now counts for each month.
    """

    granted: int
    seqs: tuple[int, int]
    days: tuple[Counted, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Nothing is taken. `soon`: nobody knows the instant, as when a place in flight becomes free."""

    limit: str
    until: datetime
    seconds: float
    soon: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """This Redis does not remember what it was called when we last looked, so it may have forgotten all."""


Taken: TypeAlias = Go | Wait | Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A limit the provider called spent, and for how long it is believed."""

    limit: str
    scope: LimitScope
    wait: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a call; `left` by limit."""

    answered: bool
    left: Mapping[str, int]
    refusal: Refusal | None


UNANSWERED = Outcome(answered=False, left={}, refusal=None)


def real_offset() -> timedelta:
    """How far the calendar is from real time, to the millisecond."""
    return timedelta(milliseconds=round((clock.now() - datetime.now(UTC)) / timedelta(milliseconds=1)))


class Script:
    """`life` is how long a call may be in flight before its place is given up."""

    def __init__(
        self, client: Redis, *, offset: Callable[[], timedelta] = real_offset, life: timedelta = IN_FLIGHT
    ) -> None:
        source = files("tieline.quota").joinpath("quota.lua").read_text(encoding="utf-8")
        self._client = client
        self._run: Any = client.register_script(source)
        self._offset = offset
        self._life = milliseconds(life)

    async def take(self, call: Call, *, memory: str) -> Taken:
        """Take all limits of the call, or none."""
        offset = self._offset()
        verb, real, *more = await self._ask(
            "take",
            call.keys(),
            offset,
            call.asked(),
            memory=memory,
            probe=milliseconds(PROBE_EVERY),
            doubt=milliseconds(call.doubt()),
        )
        if verb == "go":
            days = _days(call, more[3:])
            return Go(granted=int(more[0]), seqs=(int(more[1]), int(more[2])), days=days)
        if verb == "unknown":
            return Unknown()
        limit, until, soon = more
        now = int(real) + milliseconds(offset)
        return Wait(
            limit=limit,
            until=datetime.fromtimestamp(int(until) / 1000, UTC),
            seconds=max(0, int(until) - now) / 1000,
            soon=soon == "1",
        )

    async def settle(self, call: Call, taken: Go, outcome: Outcome) -> None:
        """The call is over: its place is free, and what its answer said of the limits is taken over."""
        more: dict[str, Any] = {}
        if outcome.refusal is not None:
            more["throttled"] = {
                "limit": outcome.refusal.limit,
                "place": place_of(outcome.refusal.scope) if call.organisation else 1,
                "wait": milliseconds(outcome.refusal.wait),
            }
        await self._ask(
            "settle",
            call.keys(),
            self._offset(),
            call.asked(),
            granted=taken.granted,
            seqs=taken.seqs,
            answered=outcome.answered,
            remaining=call.told(outcome.left),
            probe=milliseconds(PROBE_EVERY),
            soon=milliseconds(PROBE_AGAIN),
            **more,
        )

    async def join(
        self,
        meter: Meter,
        blocks: Sequence[Block],
        days: Sequence[Counted],
        *,
        memory: str,
        before: str,
        quiet: timedelta,
    ) -> str:
        """Tell of blocks and of days of months, and name Redis' memory unless it has a name: that name.

        Where it had another one `before`, nothing starts for the time of `quiet`.
        """
        states = [meter.state(one.organisation) for one in blocks]
        months = [meter.month(one.limit, one.organisation) for one in days]
        keys = list(dict.fromkeys([meter.marker(), meter.state(None), *states, *months]))
        _, _, name = await self._ask(
            "join",
            keys,
            self._offset(),
            {},
            memory=memory,
            before=before,
            blocks=[
                {"key": keys.index(key) + 1} | _told(one) for key, one in zip(states, blocks, strict=True)
            ],
            days=[{"key": keys.index(key) + 1} | _told(one) for key, one in zip(months, days, strict=True)],
            quiet=milliseconds(quiet),
        )
        return str(name)

    async def rejoin(self, call: Call) -> None:
        """The call has been in flight all the time."""
        await self._ask("rejoin", call.keys(), self._offset(), call.asked())

    async def look(self, calls: Sequence[Call]) -> list[Looked | None]:
        """How it stands with the limits of each, at one go; None where Redis forgot. Nothing is taken or written."""
        offset, probe = self._offset(), milliseconds(PROBE_EVERY)
        async with asyncio.timeout(ANSWER_SECONDS), self._client.pipeline(transaction=False) as asking:
            for call in calls:
                request = self._request("look", offset, call.asked(), probe=probe)
                await self._run(keys=call.keys(), args=[request], client=asking)
            answers = await asking.execute()
        return [read_look(call, _texts(answer)) for call, answer in zip(calls, answers, strict=True)]

    async def _ask(
        self, verb: str, keys: list[str], offset: timedelta, asked: dict[str, Any], **more: object
    ) -> list[str]:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self._run(keys=keys, args=[self._request(verb, offset, asked, **more)])
        return _texts(answer)

    def _request(self, verb: str, offset: timedelta, asked: dict[str, Any], **more: object) -> str:
        return json.dumps({"verb": verb, "offset": milliseconds(offset), "life": self._life} | asked | more)


def _texts(answer: Sequence[object]) -> list[str]:
    return [part.decode() if isinstance(part, bytes) else str(part) for part in answer]


def _told(one: Block | Counted) -> dict[str, Any]:
    """As the script reads it."""
    if isinstance(one, Block):
        return {"limit": one.limit, "till": round(one.until.timestamp() * 1000)}
    return {"day": one.day.toordinal() - _FIRST_DAY, "calls": one.calls}


def _days(call: Call, told: Sequence[str]) -> tuple[Counted, ...]:
    """From limit, day and count, one after the other."""
    scopes = {limit.name: limit.scope for limit in call.limits}
    return tuple(
        Counted(
            organisation=call.whose(scopes[name]),
            limit=name,
            day=date.fromordinal(int(day) + _FIRST_DAY),
            calls=int(calls),
        )
        for name, day, calls in zip(told[::3], told[1::3], told[2::3], strict=True)
    )
