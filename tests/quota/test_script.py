"""The script, step by step beside an oracle: whatever happens in whatever order, both answer the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from tests.quota.conftest import REAL
from tests.quota.oracle import Oracle, Place
from tests.quota.seen import seen
from tests.support.deployment import Deployment
from tieline.errors import LimitScope
from tieline.ids import new_id
from tieline.plugins.limits import Limit, LimitKind
from tieline.quota import Block, Counted
from tieline.quota.calls import Call, Meter, milliseconds
from tieline.quota.script import Go, Outcome, Refusal, Script, Unknown, Wait

SHORT, LONG = timedelta(seconds=5), timedelta(minutes=1)
QUIET = timedelta(milliseconds=400)
_SECOND = timedelta(seconds=1)


def _limit(
    name: str, kind: LimitKind, most: int, window: timedelta | None = None, *, app: bool = False
) -> Limit:
    scope = LimitScope.APP if app else LimitScope.ORGANISATION
    return Limit(
        name=name, scope=scope, kind=kind, most=most, window=window, source="https://provider.example"
    )


LIMITS = (
    _limit("concurrent", LimitKind.CONCURRENCY, 4),
    _limit("second", LimitKind.RATE, 8, _SECOND),
    _limit("minute", LimitKind.RATE, 14, _SECOND * 60),
    _limit("day", LimitKind.DAY, 16),
    _limit("app_minute", LimitKind.RATE, 25, _SECOND * 60, app=True),
    _limit("app_concurrent", LimitKind.CONCURRENCY, 7, app=True),
    _limit("month", LimitKind.MONTH, 70, app=True),
)

figures = st.integers(0, 16)
lefts: st.SearchStrategy[dict[str, int]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"day": figures}),
    st.fixed_dictionaries(
        {"minute": figures},
        optional={"day": figures, "second": figures, "app_minute": figures, "month": st.integers(30, 75)},
    ),
)
unlikely = st.builds(
    Refusal,
    limit=st.sampled_from(["minute", "day", "concurrent", "app_minute", "never heard of"]),
    scope=st.sampled_from(LimitScope),
    wait=st.sampled_from([timedelta(0), _SECOND, _SECOND * 60, timedelta(hours=20)]),
)

blocks = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["day", "minute"]),
        st.sampled_from([_SECOND * -5, _SECOND * 3, _SECOND * 90, timedelta(hours=20)]),
    ),
    max_size=2,
)
days = st.lists(st.tuples(st.integers(-2, 34), st.integers(0, 30)), max_size=3)
refusals = st.integers(0, 9).flatmap(lambda nth: unlikely if nth > 6 else st.none())


class Recorded(Script):
    """Keeps Redis' real time of the last answer, which is so much `later` than it really is."""

    real = 0

    def __init__(self, client: Redis, *, later: Callable[[], timedelta], **more: Any) -> None:
        super().__init__(client, **more)
        self.later = later
        source = files("tieline.quota").joinpath("quota.lua").read_text(encoding="utf-8")
        assert source.count(REAL) == 1
        self._run = client.register_script(source.replace(REAL, f"{REAL} + asked.later"))

    async def _ask(self, *arguments: Any, **more: Any) -> list[str]:
        answer = await super()._ask(*arguments, **more)
        self.real = int(answer[1])
        return answer

    def _request(self, *arguments: Any, **more: Any) -> str:
        return super()._request(*arguments, later=milliseconds(self.later()), **more)


class Beside(RuleBasedStateMachine):
    """Two organisations and calls of the app alone, in two lanes, of two processes, while the calendar moves.

    `names` is what each process last heard Redis' memory called; `open` are calls in flight, and whose they are.
    """

    redis_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.client = Redis.from_url(self.redis_url)
        self.offset = timedelta(0)
        self.later = timedelta(0)
        times = {"offset": lambda: self.offset, "later": lambda: self.later}
        self.script = Recorded(self.client, **times, life=LONG)
        self.short = Recorded(self.client, **times, life=SHORT)
        self.meter = Meter(provider="pretend", client_id=str(new_id()))
        self.oracle = Oracle()
        self.names = ["", ""]
        self.open: list[tuple[Call, Go, int]] = []
        self.join(0, [], [])

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        keys = self.run(self.client.keys(f"{self.meter.prefix}*"))
        lives = [self.run(self.client.pttl(key)) for key in keys]
        self.run(self.client.aclose())
        self.runner.close()
        assert -1 not in lives, "every key ends by itself"

    @initialize(is_sure=st.booleans())
    def begin(self, is_sure: bool) -> None:  # noqa: FBT001
        """Nothing is in doubt once an answer of each organisation has told what is left."""
        for organisation in ("a", "b") if is_sure else ():
            assert self.take_one(Call.of(self.meter, organisation, LIMITS, reserve=0), self.script, 0)
            self.settle_one(0, answered=True, left={"minute": 13}, refusal=None)

    @rule(
        organisation=st.sampled_from(["a", "b", "a", None]),
        reserve=st.sampled_from([0.0, 0.25]),
        times=st.integers(1, 6),
        is_short=st.sampled_from([False, False, False, True]),
        process=st.integers(0, 1),
    )
    def take(
        self,
        organisation: str | None,
        reserve: float,
        times: int,
        is_short: bool,  # noqa: FBT001
        process: int,
    ) -> None:
        script = self.short if is_short else self.script
        for _ in range(times):
            if not self.take_one(Call.of(self.meter, organisation, LIMITS, reserve=reserve), script, process):
                break

    @rule(organisation=st.sampled_from(["a", "a", "b"]), left=lefts)
    def come_and_go(self, organisation: str, left: dict[str, int]) -> None:
        if self.take_one(Call.of(self.meter, organisation, LIMITS, reserve=0), self.script, 0):
            self.settle_one(-1, answered=True, left=left, refusal=None)

    def take_one(self, call: Call, script: Recorded, process: int) -> bool:
        """Whether it goes. A process that hears that Redis forgot says what it knows, and asks again later."""
        taken = self.run(script.take(call, memory=self.names[process] or "none"))
        if self.names[process] != self.oracle.memory:
            assert taken == Unknown()
            self.join(process, [], [])
            return False
        real, offset = script.real, milliseconds(self.offset)
        life = milliseconds(SHORT if script is self.short else LONG)
        expected = self.oracle.refusals(call, real, offset, life)

        if not expected:
            seqs = self.oracle.take(call, real, offset, life)
            told = self.oracle.told(call, real, offset)
            assert taken == Go(granted=real + offset, seqs=(*seqs, 0)[:2], days=told)  # type: ignore[arg-type]
            self.open.append((call, taken, process))
            return True
        assert isinstance(taken, Wait), expected
        till = max(refused.till for refused in expected)
        worst = [(refused.limit, refused.soon) for refused in expected if refused.till == till]
        assert round(taken.until.timestamp() * 1000) == till
        assert (taken.limit, taken.soon) in worst
        assert taken.seconds == (till - real - offset) / 1000
        return False

    @rule(organisation=st.sampled_from(["a", "b", None]), reserve=st.sampled_from([0.0, 0.25]))
    def look(self, organisation: str | None, reserve: float) -> None:
        """Somebody sees what is left; that nothing was changed by it is seen by `both_remember_the_same`."""
        call = Call.of(self.meter, organisation, LIMITS, reserve=reserve)
        (looked,) = self.run(self.script.look([call]))

        if self.oracle.memory is None:
            assert looked is None
            return
        assert looked is not None
        now = round(looked.at.timestamp() * 1000)
        assert looked == seen(self.oracle, call, now - milliseconds(self.offset), milliseconds(self.offset))

    @rule(which=st.integers(0, 20), answered=st.booleans(), left=lefts, refusal=refusals)
    def settle(self, which: int, answered: bool, left: dict[str, int], refusal: Refusal | None) -> None:  # noqa: FBT001
        if self.open:
            self.settle_one(which, answered=answered, left=left, refusal=refusal)

    @rule()
    def settle_all(self) -> None:
        while self.open:
            self.settle_one(0, answered=True, left={}, refusal=None)

    def settle_one(
        self, which: int, *, answered: bool, left: dict[str, int], refusal: Refusal | None
    ) -> None:
        call, go, _ = self.open.pop(which % len(self.open))
        outcome = Outcome(answered=answered, left=left, refusal=refusal)
        self.run(self.script.settle(call, go, outcome))
        self.oracle.settle(call, go.granted, go.seqs, outcome, self.script.real, milliseconds(self.offset))

    @precondition(lambda self: self.oracle.memory)
    @rule()
    def forget(self) -> None:
        """Somebody wipes Redis."""
        for key in self.run(self.client.keys(f"{self.meter.prefix}*")):
            self.run(self.client.delete(key))
        self.oracle.forget()

    @rule(process=st.integers(0, 1), said=blocks, counted=days)
    def join(
        self, process: int, said: list[tuple[str | None, str, timedelta]], counted: list[tuple[int, int]]
    ) -> None:
        """A process says which blocks and days it knows, and which calls it has in flight."""
        now = datetime.now(UTC) + self.later + self.offset
        known = [Block(organisation=one, limit=limit, until=now + wait) for one, limit, wait in said]
        days = [
            Counted(organisation=None, limit="month", day=(now - timedelta(days=ago)).date(), calls=calls)
            for ago, calls in counted
        ]
        fresh, before, offset = new_id().hex, self.names[process], milliseconds(self.offset)
        name = self.run(self.script.join(self.meter, known, days, memory=fresh, before=before, quiet=QUIET))
        quiet = milliseconds(QUIET)
        expected = self.oracle.join(
            known, days, self.script.real, offset, memory=fresh, before=before, quiet=quiet
        )

        assert name == expected
        self.names[process] = name
        for call in [call for call, _, whose in self.open if whose == process and before != name]:
            self.run(self.script.rejoin(call))
            self.oracle.rejoin(call, self.script.real, offset, milliseconds(LONG))

    @rule(by=st.sampled_from([2, 2, 2, 2, 4, 4, 30, 30, 59, 70, 3_601, 86_400, 2_700_000, -1, -70, -86_400]))
    def move_the_calendar(self, by: int) -> None:
        self.offset += timedelta(seconds=by)

    @precondition(lambda self: self.short.real)
    @rule()
    def let_calls_outlive_their_place(self) -> None:
        self.later += SHORT
        self.short.real = 0

    @invariant()
    def both_remember_the_same(self) -> None:
        asking, expected = self.client.pipeline(transaction=False), []
        for whose, place in self.oracle.places.items():
            asking.hgetall(self.meter.state(whose))
            asking.zrange(self.meter.flight(whose), 0, -1, withscores=True)
            expected += [_fields(place), place.flying]
            for limit in LIMITS:
                if limit.kind is LimitKind.RATE and (limit.scope is LimitScope.APP) == (whose is None):
                    asking.zrange(self.meter.rate(limit, whose), 0, -1, withscores=True)
                    expected.append(place.counted.get(limit.name, {}))
                if limit.kind is LimitKind.MONTH and whose is None:
                    asking.hgetall(self.meter.month(limit.name, None))
                    expected.append(_texts(place.days.get(limit.name, {})))
        assert [_read(answer) for answer in self.run(asking.execute())] == expected


def _read(answer: Any) -> dict[str, Any]:
    """A hash, or a sorted set by its members."""
    if isinstance(answer, dict):
        return {key.decode(): text.decode() for key, text in answer.items()}
    return {member.decode(): int(score) for member, score in answer}


def _texts(days: dict[int, int]) -> dict[str, str]:
    return {str(day): str(calls) for day, calls in days.items()}


def _fields(place: Place) -> dict[str, str]:
    """A place as Redis remembers it."""
    return (
        {f"left:{name}": str(left) for name, left in place.left.items()}
        | {f"told:{name}": str(at) for name, at in place.told.items()}
        | {f"probe:{name}": call for name, call in place.probe.items()}
        | {f"next:{name}:{floor}": str(at) for (name, floor), at in place.following.items()}
        | {f"block:{name}": f"{till} {made}" for name, (till, made) in place.blocks.items()}
        | ({"seq": str(place.moves)} if place.moves else {})
        | ({"sure": "1"} if place.is_sure else {})
    )


def test_the_script_answers_like_the_oracle(deployment: Deployment) -> None:
    made = type("Beside", (Beside,), {"redis_url": deployment.redis_url})

    run_state_machine_as_test(
        made,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
