"""The quota under a backlog, as the provider counts it: four processes, all that it allows, and hardly a refusal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.credentials.holding import hold
from tests.proofs.backlog import Paced, Seen, Stage, calling, paced_sandbox
from tests.proofs.calling import Plan
from tests.proofs.companies import hold_companies
from tests.proofs.conftest import IS_FULL
from tests.support.deployment import Deployment
from tests.support.figures import Figures
from tests.support.polling import until
from tieline.credentials.apps.service import change_tier
from tieline.ids import AppId, PracticeId
from tieline.work import Lane

PROCESSES = 4
RESERVED = 500
"""A tenth of a day of Xero's tier Core is left to calls that people wait for."""
PEOPLES = 3
FOUND_MINUTES = 0.2
"""By then a call that was on its way has found the day spent; there is none where all had heard it before."""

LONG_SPEED, LONG_SECONDS, LONG_MINUTES = 6.0, 3.0, 3.0 if IS_FULL else 0.3
"""Answers that take longer than a call counts for its second, so that only how many are at once holds others back."""
KNOWN_SECONDS = 70.0
"""After so long a time Redis is not one that may have forgotten calls."""

Tokens: TypeAlias = tuple[PracticeId, AppId, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A provider's limits, and how long its story is: until it is steady, until Redis is wiped, and after that.

    `speed` is that of its calendar at most, and `lag` what its processes may be behind, in seconds of it.
    `budgets`: so many background calls are left of the day at the first organisations.
    """

    name: str
    counters: str
    prepare: Callable[[Paced, asyncpg.Connection, int], Awaitable[Tokens]]
    concurrent: int
    minute: int
    callers: int
    speed: float
    lag: float
    organisations: int
    minutes: tuple[float, float, float]
    budgets: tuple[int, ...] = ()


async def of_xero(paced: Paced, above: asyncpg.Connection, organisations: int) -> Tokens:
    held = await hold(paced.sandbox, above, *(f"Books {number}" for number in range(organisations)))
    await change_tier(held.practice_id, "xero", "core")
    token = (await held.tokens.access()).reveal()
    tenants = (one.tenant_id for one in held.person.organisations)
    return held.practice_id, held.app.id, dict.fromkeys(tenants, token)


async def of_quickbooks(paced: Paced, _above: asyncpg.Connection, organisations: int) -> Tokens:
    return await hold_companies(paced.sandbox, organisations)


XERO = Case(
    name="Xero",
    counters="/counters",
    prepare=of_xero,
    concurrent=5,
    minute=60,
    callers=2,
    speed=6.0 if IS_FULL else 10.0,
    lag=0.6,
    organisations=20 if IS_FULL else 4,
    minutes=(1.5, 4.0, 2.0) if IS_FULL else (0.05, 1.1, 1.05),
    budgets=(3, 20, 60, 90) if IS_FULL else (20,),
)
QUICKBOOKS = Case(
    name="QuickBooks",
    counters="/quickbooks/counters",
    prepare=of_quickbooks,
    concurrent=10,
    minute=500,
    callers=3,
    speed=0.5 if IS_FULL else 1.0,
    lag=0.05,
    organisations=20 if IS_FULL else 3,
    minutes=(1.3, 1.0, 1.0) if IS_FULL else (0.02, 0.06, 0.06),
)


@pytest.mark.parametrize("case", [XERO, QUICKBOOKS], ids=lambda case: case.name)
async def test_a_backlog_uses_what_is_allowed_and_no_more_also_when_redis_is_wiped(
    case: Case, opened: Deployment, sql: asyncpg.Connection, tmp_path: Path, figures: Figures
) -> None:
    async with paced_sandbox(tmp_path, counters=case.counters) as paced:
        plan, budgets = await planned(case, paced, sql)

        async with calling(paced, plan, opened, speed=case.speed, lag=case.lag):
            await paced.all_called(plan.tokens)
            begun, steady = await paced.stage(case.minutes[0]), await paced.stage(case.minutes[1])
            async with Redis.from_url(opened.redis_url) as redis:
                await redis.flushdb()
            wiped = await paced.stage(case.minutes[2])

    of = f"Limits of {case.name}"
    asked, refused = begun.calls + steady.calls, counted(begun) + counted(steady)
    figures.share(f"{of}: calls refused", refused, asked, 0.1)
    if IS_FULL:
        used = steady.used(plan.tokens.keys() - budgets.keys(), case.minute)
        figures.at_least(f"{of}: used of the minute while there is a backlog", used, 90, " %")
    afterwards = counted(wiped)
    figures.share(f"{of}: calls refused in the minutes after Redis was wiped", afterwards, wiped.calls, 1)
    count_at_once(figures, of, wiped.after, case.concurrent)
    if budgets:
        count_days(figures, of, wiped, budgets)
    figures.hold()


async def test_where_answers_take_long_no_more_calls_are_at_one_company_than_are_allowed(
    opened: Deployment, sql: asyncpg.Connection, tmp_path: Path, figures: Figures
) -> None:
    case = QUICKBOOKS
    async with paced_sandbox(tmp_path, counters=case.counters) as paced:
        plan = plan_of(case, paced, await case.prepare(paced, sql, 3))

        async with calling(paced, plan, opened, speed=LONG_SPEED, lag=2.5, answer_seconds=LONG_SECONDS):
            await paced.all_called(plan.tokens)
            paced.pace.skip(KNOWN_SECONDS)
            await paced.reached(case.concurrent)
            story = await paced.stage(LONG_MINUTES)

    of = f"Limits of {case.name}, answers that take {LONG_SPEED * LONG_SECONDS:g} s"
    count_at_once(figures, of, story.after, case.concurrent)
    figures.hold()


async def test_people_spend_a_day_to_its_end_and_one_call_finds_that_it_is_spent_also_when_redis_is_wiped(
    opened: Deployment, sql: asyncpg.Connection, tmp_path: Path, figures: Figures
) -> None:
    case = XERO
    async with paced_sandbox(tmp_path, counters=case.counters) as paced:
        plan = plan_of(case, paced, await case.prepare(paced, sql, 1), lane=Lane.INTERACTIVE)
        [organisation] = plan.tokens
        await leave(paced, organisation, PEOPLES)

        async with calling(paced, plan, opened, speed=case.speed, lag=case.lag):
            await paced.all_called(plan.tokens)
            # On a busy machine the calendar goes slowly.
            await until(partial(all_served, paced, organisation), "the day is spent", seconds=240)
            await paced.stage(FOUND_MINUTES)
            async with Redis.from_url(opened.redis_url) as redis:
                await redis.flushdb()
            wiped = await paced.stage(case.minutes[2])

    of = f"Limits of {case.name}: people's calls"
    figures.exactly(
        f"{of} served where {PEOPLES} were left of the day", wiped.after.served([organisation]), PEOPLES
    )
    what = f"{of} refused for a day that was spent, Redis wiped: the one that finds it spent"
    figures.at_most(what, wiped.after.refusals("day"), 1)
    figures.hold()


async def planned(case: Case, paced: Paced, above: asyncpg.Connection) -> tuple[Plan, dict[str, int]]:
    """Who calls, and how many calls in the background the days of some organisations have left."""
    plan = plan_of(case, paced, await case.prepare(paced, above, case.organisations))
    budgets = dict(zip(plan.tokens, case.budgets, strict=False))
    for organisation, budget in budgets.items():
        await leave(paced, organisation, RESERVED + budget)
    return plan, budgets


def plan_of(case: Case, paced: Paced, held: Tokens, *, lane: Lane = Lane.BACKGROUND) -> Plan:
    practice_id, app_id, tokens = held
    return Plan(
        pace=str(paced.file),
        practice_id=str(practice_id),
        app_id=str(app_id),
        tokens=tokens,
        callers=case.callers,
        processes=PROCESSES,
        lane=lane,
    )


async def leave(paced: Paced, organisation: str, calls: int) -> None:
    """So many calls are left of the organisation's day."""
    await paced.sandbox.control("PUT", f"/organisations/{organisation}", {"day_remaining": calls})


async def all_served(paced: Paced, organisation: str) -> bool:
    """Whether as many calls were served as were left of the day."""
    return (await paced.look()).served([organisation]) >= PEOPLES


def counted(stage: Stage) -> int:
    """Refusals; but where calls are few, none that is due to a call which came later than anybody counts on."""
    return stage.refusals() - (0 if IS_FULL else stage.excused)


def count_at_once(figures: Figures, of: str, seen: Seen, most: int) -> None:
    figures.at_most(f"{of}: most calls at once at one organisation", seen.most_in_flight, most)
    figures.exactly(f"{of}: calls refused for too many at once", seen.refusals("concurrent"), 0)


def count_days(figures: Figures, of: str, wiped: Stage, budgets: dict[str, int]) -> None:
    over = max(wiped.after.served([one]) - budget for one, budget in budgets.items())
    what = f"{of}: calls over a day's budget at one organisation, Redis wiped: the probe before and the one after"
    figures.at_most(what, over, 2)
    refused = wiped.after.refusals("day")
    figures.exactly(f"{of}: calls refused for a day that was spent, Redis wiped", refused, 0)
