"""Refreshes that fail in every way that passes by itself, and one consent that is really over."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.credentials.holding import Holding, hold
from tests.proofs.conftest import IS_FULL, PassTime
from tests.proofs.refreshers import Refreshers
from tests.support.figures import Figures
from tests.support.jobs import calendar
from tests.support.sandbox import Sandbox
from tieline.credentials import refreshing
from tieline.errors import ConsentGone, ProviderUnavailable, TielineError
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

FAULTS, CREDENTIALS = (1_000, 10) if IS_FULL else (40, 3)
KILLS = 50 if IS_FULL else 2
KINDS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("throttle", {}, 1),
    ("status", {"status": 500}, 1),
    ("status", {"status": 502, "body": "<html>Bad gateway</html>", "content_type": "text/html"}, 1),
    ("status", {"status": 503, "body": {"error": "invalid_grant"}}, 1),
    ("html", {}, 1),
    ("empty", {}, 1),
    ("truncated", {}, 1),
    ("drop", {}, 2),
    ("lost_answer", {}, 2),
    ("slow", {"seconds": 2.5}, 2),
)
"""What goes wrong, and how many calls of one refresh it hits: after a lost answer the same token is sent once more."""

HTTP_SECONDS, HOLD_SECONDS = 1.5, 3.5
TOO_OLD, WITHIN_GRACE, LEASE_OVER = timedelta(minutes=31), timedelta(minutes=20), timedelta(seconds=36)


async def test_faults_at_the_token_endpoint_change_nobodys_status_and_a_revocation_is_told_once(
    sandbox: Sandbox,
    sql: asyncpg.Connection,
    pass_time: PassTime,
    figures: Figures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refreshing, "_HTTP_SECONDS", HTTP_SECONDS)
    monkeypatch.setattr(refreshing, "_HOLD_SECONDS", HOLD_SECONDS)
    holders = [await hold(sandbox, sql) for _ in range(CREDENTIALS)]
    connected = [await held.connect(held.person.organisations[0]) for held in holders]
    victim, *others = holders
    dice, hit, took = random.Random(4), 0, None  # noqa: S311 - the same story each time

    while hit < FAULTS:
        unhurt = holders if took is None else others
        await pass_time(TOO_OLD)
        await asyncio.gather(*(fail(held, dice) for held in unhurt))
        await pass_time(WITHIN_GRACE)
        for held in unhurt:
            await recover(held)
        hit = await faults_of(sandbox, holders)
        if took is None and hit >= FAULTS / 2:
            await pass_time(TOO_OLD)
            took = await lose(victim, pass_time)

    assert took is not None
    told = [each for held in others for each in await held.expiries()]
    states = [(await held.row())["state"] for held in others]
    figures.at_least("Faults at the token endpoint, as the sandbox counts them", hit, FAULTS)
    figures.exactly("Faults at the token endpoint: connections that changed their status", len(told), 0)
    figures.exactly("Faults at the token endpoint: credentials that are not live", states.count("DEAD"), 0)
    expiries = await victim.expiries()
    figures.exactly("A revocation among them: times that it was told", len(expiries), 1)
    figures.at_most("A revocation among them: seconds until then", took.total_seconds(), 60, " s")
    assert expiries == connected[:1]
    figures.hold()


async def test_kills_between_the_answer_and_the_commit_cost_nobody_a_consent(
    sandbox: Sandbox, sql: asyncpg.Connection, forking: Refreshers, pass_time: PassTime, figures: Figures
) -> None:
    held, usable = await hold(sandbox, sql), 0
    await held.connect(held.person.organisations[0])

    for number in range(KILLS):
        await pass_time(TOO_OLD)
        os.kill(await forking.hanging(held), signal.SIGKILL)
        await held.lapse()
        await pass_time(LEASE_OVER)
        await finish(held)
        row = await held.row()
        usable += (row["state"], row["version"], row["lease_owner"]) == ("LIVE", number + 2, None)

    lost = await held.expiries()
    figures.exactly(
        "Kills between answer and commit: credentials that were of no use then", KILLS - usable, 0
    )
    figures.exactly("Kills between answer and commit: consents asked for again", len(lost), 0)
    figures.hold()


async def faults_of(sandbox: Sandbox, holders: Iterable[Holding]) -> int:
    """How many calls of these at the token endpoint have gone wrong."""
    clients = {held.portal.client_id for held in holders}
    calls = (await sandbox.control("GET", "/log", endpoint="token"))["entries"]
    return sum(call["fault"] is not None and call["client_id"] in clients for call in calls)


async def fail(held: Holding, dice: random.Random) -> None:
    """Some refreshes that fail."""
    for _ in range(dice.randint(1, 3)):
        kind, more, times = dice.choice(KINDS)
        await held.sandbox.plant(kind, "token", times=times, user=held.person.id, **more)
        if await asked(held) != ProviderUnavailable.code:
            return  # a slow machine took the answer for lost, and the second call went well


async def recover(held: Holding) -> None:
    """The job that sees a refresh through comes to its turn; what is still planted or too slow fails it again."""
    await finish(held)
    while await asked(held) == ProviderUnavailable.code:
        pass


async def finish(held: Holding) -> None:
    [job] = await held.jobs("finish_refresh")
    await Runner(ACTORS).run(job["id"])


async def lose(held: Holding, pass_time: PassTime) -> timedelta:
    """The person takes the consent back while the provider has trouble: how long until that is told."""
    await held.sandbox.control("DELETE", "/faults")
    began = await calendar()
    await held.sandbox.revoke(held.portal, held.person)
    await held.sandbox.plant("status", "token", status=503)
    await asked(held)
    [job] = await held.jobs("finish_refresh")
    await pass_time(job["due_at"] - await calendar())
    await finish(held)
    assert await asyncio.gather(*(asked(held) for _ in range(20))) == [ConsentGone.code] * 20
    told: datetime = await held.above.fetchval(
        "SELECT at FROM event WHERE practice_id = $1 AND kind = 'CONNECTION_EXPIRED'", held.practice_id
    )
    return told - began


async def asked(held: Holding) -> str:
    """What a caller is told."""
    try:
        await held.tokens.access()
    except TielineError as error:
        return error.code
    return "none"
