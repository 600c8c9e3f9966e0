"""Refreshes by many at once, and by some who were stopped meanwhile: one call each, and nothing stale is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import asyncpg
import pytest

from tests.credentials.askers import asking
from tests.credentials.asking import fingerprint
from tests.credentials.companies import hold_company
from tests.credentials.holding import Holding, hold
from tests.proofs.conftest import IS_FULL, PassTime
from tests.proofs.refreshers import Refreshers
from tests.support.deployment import Deployment
from tests.support.figures import Figures
from tests.support.polling import until
from tests.support.sandbox import Sandbox

Hold: TypeAlias = Callable[[Sandbox, asyncpg.Connection], Awaitable[Holding]]

PROCESSES, CALLERS = 8, 25
LATENCIES = (0.2, 5.0, 18.0) if IS_FULL else (0.2,)
PROVIDERS = ("Xero", "QuickBooks") if IS_FULL else ("QuickBooks",)
STOPS = 10 if IS_FULL else 1
TOO_OLD, ROTATED = timedelta(minutes=31), timedelta(hours=25)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_two_hundred_who_refresh_at_once_make_one_call_however_slow_the_provider_is(
    sandbox: Sandbox,
    sql: asyncpg.Connection,
    forking: Refreshers,
    pass_time: PassTime,
    figures: Figures,
    provider: str,
) -> None:
    make: Hold = {"Xero": hold, "QuickBooks": hold_company}[provider]
    for seconds in LATENCIES:
        held = await make(sandbox, sql)
        await pass_time(ROTATED)
        await sandbox.plant("slow", "token", seconds=seconds)

        answers = await forking.answers(held, processes=PROCESSES, callers=CALLERS)

        calls, token = await held.refreshes(), (await held.tokens.access()).reveal()
        of = f"{provider}: 200 refreshes at once, answered after {seconds:g} s"
        figures.exactly(f"{of}: token calls", len(calls), 1)
        figures.exactly(f"{of}: callers with the new token", answers.count(fingerprint(token)), 200)
        figures.exactly(f"{of}: refusals", sum(call["status"] != 200 for call in calls), 0)
    figures.hold()


async def test_who_was_stopped_beyond_the_lease_never_writes_back(
    sandbox: Sandbox, sql: asyncpg.Connection, opened: Deployment, pass_time: PassTime, figures: Figures
) -> None:
    held, stale = await hold(sandbox, sql), 0
    async with AsyncExitStack() as stack:
        for number in range(STOPS):
            await pass_time(TOO_OLD)
            await sandbox.plant("slow", "token", seconds=1)
            asker = await stack.enter_async_context(asking(opened, held))
            before = len(await held.refreshes())
            asker.go()
            await until(partial(_calls, held, before + 1), "it has asked the provider")
            asker.stop()
            await held.lapse()
            ours = await held.tokens.access()
            stored = await held.row()
            asker.go_on()
            answers = await asker.answers()
            row = await held.row()
            assert answers == [fingerprint(ours.reveal())]
            assert row["version"] == number + 2
            stale += row["tokens_sealed"] != stored["tokens_sealed"]

    figures.exactly("Holders stopped beyond their lease: stale pairs written", stale, 0)
    figures.hold()


async def _calls(held: Holding, count: int) -> bool:
    return len(await held.refreshes()) == count
