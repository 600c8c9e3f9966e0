"""Refreshing where a rotated token is dead at once: what is lost between the answer and our table, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.credentials.askers import asking
from tests.credentials.companies import hold_company
from tests.credentials.holding import Holding
from tests.support.deployment import Deployment
from tests.support.polling import until
from tests.support.sandbox import Sandbox
from tieline.connections.states import Reason
from tieline.errors import TielineError
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

_HELD = 4_711
_HOLD = f"""
CREATE FUNCTION hold_writing() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock({_HELD}); RETURN NEW; END';
CREATE TRIGGER hold_writing BEFORE UPDATE ON credential
    FOR EACH ROW WHEN (new.version > old.version) EXECUTE FUNCTION hold_writing();
"""
_WAITS = """
SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database AND datname = current_database()
 WHERE locktype = 'advisory' AND objid = $1 AND NOT granted
"""
WITHIN_A_DAY = timedelta(minutes=61)
AFTER_A_DAY = timedelta(hours=25)


@pytest.fixture
async def company(opened: Deployment, sandbox: Sandbox) -> AsyncIterator[Holding]:
    """The credential of one company, fresh from its consent."""
    above = await opened.connect()
    yield await hold_company(sandbox, above)
    await above.close()


async def pass_time(company: Holding, clock: Any, by: timedelta) -> None:
    """Calendar time goes on, for us and for Intuit."""
    await asyncio.gather(clock(by), company.sandbox.move_clock(by.total_seconds()))


async def kill_one(company: Holding, opened: Deployment, clock: Any) -> None:
    """A process refreshes and dies when it has written the answer and not committed it; its lease lapses."""
    async with asking(opened, company) as asker, writing_held(company) as waits:
        asker.go()
        await until(waits, "the answer is being written")
        assert [call["status"] for call in await company.refreshes()] == [200]
        await asker.kill()
    await company.lapse()  # waits for the row until the transaction of the dead has been rolled back
    assert (await company.row())["version"] == 1
    await pass_time(company, clock, timedelta(seconds=36))


@asynccontextmanager
async def writing_held(company: Holding) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Until the block ends, whoever writes new tokens waits in the middle of it; whether somebody does."""

    async def waits() -> bool:
        return bool(await company.above.fetchval(_WAITS, _HELD))

    await company.above.execute(_HOLD)
    await company.above.execute("SELECT pg_advisory_lock($1)", _HELD)
    try:
        yield waits
    finally:
        await company.above.execute("SELECT pg_advisory_unlock($1)", _HELD)
        await company.above.execute("DROP FUNCTION hold_writing CASCADE")


async def finish(company: Holding) -> None:
    """The job that stands in for whoever died."""
    [job] = await company.jobs("finish_refresh")
    await Runner(ACTORS).run(job["id"])


async def test_a_kill_between_answer_and_write_back_costs_nothing_while_the_token_is_not_rotated(
    company: Holding, opened: Deployment, clock: Any
) -> None:
    connection_id = await company.connect(company.person.organisations[0])
    await pass_time(company, clock, WITHIN_A_DAY)
    await kill_one(company, opened, clock)

    await finish(company)

    row = await company.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 2, None)
    assert await company.reason(connection_id) is None
    assert await company.jobs("finish_refresh") == []
    await company.tokens.access()
    assert len(await company.refreshes()) == 2


async def test_a_kill_between_answer_and_write_back_of_a_rotated_token_is_one_true_expiry(
    company: Holding, opened: Deployment, clock: Any
) -> None:
    connection_id = await company.connect(company.person.organisations[0])
    await pass_time(company, clock, AFTER_A_DAY)
    await kill_one(company, opened, clock)

    callers = [asyncio.create_task(_asked(company)) for _ in range(10)]
    await finish(company)
    answers = [await caller for caller in callers] + [await _asked(company)]

    await pass_time(company, clock, timedelta(seconds=36))
    for _ in await company.jobs("finish_refresh"):  # that of a caller who was quicker
        await finish(company)

    assert answers == ["CONSENT_GONE"] * 11
    assert (await company.row())["state"] == "DEAD"
    assert await company.expiries() == [connection_id]
    assert await company.reason(connection_id) is Reason.REVOKED_AT_PROVIDER
    assert await company.jobs("finish_refresh") == []
    assert len(await company.refreshes()) == 2, "the one that was lost, and the one that was refused"


async def test_a_lost_answer_costs_nothing_while_the_token_is_not_rotated(
    company: Holding, clock: Any
) -> None:
    connection_id = await company.connect(company.person.organisations[0])
    await pass_time(company, clock, WITHIN_A_DAY)
    await company.sandbox.plant("lost_answer", "token")

    await company.tokens.access()

    assert ((await company.row())["version"], len(await company.refreshes())) == (2, 2)
    assert await company.reason(connection_id) is None


async def test_a_lost_answer_with_a_rotated_token_is_one_true_expiry(company: Holding, clock: Any) -> None:
    connection_id = await company.connect(company.person.organisations[0])
    await pass_time(company, clock, AFTER_A_DAY)
    await company.sandbox.plant("lost_answer", "token")

    answers = [await _asked(company) for _ in range(3)]

    assert answers == ["CONSENT_GONE"] * 3
    assert await company.expiries() == [connection_id]
    assert len(await company.refreshes()) == 2


async def _asked(company: Holding) -> str:
    try:
        await company.tokens.access()
    except TielineError as error:
        return error.code
    return "none"
