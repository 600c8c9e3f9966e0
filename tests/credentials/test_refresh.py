"""One refresh for all who ask, in however many processes, whoever of them dies, stops or goes away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.credentials.askers import asking
from tests.credentials.asking import fingerprint
from tests.credentials.holding import Holding
from tests.support.deployment import Deployment
from tests.support.jobs import calendar
from tests.support.polling import until
from tests.support.statements import all_connected, taken_down
from tieline.credentials.finishing import finish_refresh
from tieline.credentials.refreshing import refresh
from tieline.database import pool_figures
from tieline.ids import JobId, new_id
from tieline.work import Lane
from tieline.work.repository import Claim
from tieline.work.unit import working_on
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

TOO_OLD = timedelta(minutes=31)


async def test_a_token_that_is_good_is_not_renewed(holding: Holding) -> None:
    first = await holding.tokens.access()

    assert await holding.tokens.access() == first
    assert await holding.refreshes() == []


async def test_fifty_callers_in_two_processes_and_a_slow_provider_make_one_call(
    holding: Holding, opened: Deployment, clock: Any
) -> None:
    before = await holding.tokens.access()
    await clock(TOO_OLD)
    await holding.sandbox.plant("slow", "token", seconds=2)

    async with AsyncExitStack() as stack:
        askers = [await stack.enter_async_context(asking(opened, holding, callers=25)) for _ in range(2)]
        for asker in askers:
            asker.go()
        answers = [answer for asker in askers for answer in await asker.answers()]

    assert len(await holding.refreshes()) == 1
    token = fingerprint((await holding.tokens.access()).reveal())
    assert answers == [token] * 50
    assert token != fingerprint(before.reveal())
    assert (await holding.row())["version"] == 2


async def test_callers_of_one_process_wait_for_one_refresh_and_do_not_each_look_for_its_end(
    holding: Holding, clock: Any
) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("slow", "token", seconds=1)
    await all_connected()

    with taken_down() as statements:
        tokens = await asyncio.gather(*(holding.tokens.access() for _ in range(20)))

    assert len(set(tokens)) == 1
    reads = [each for each in statements if each.sql.startswith("SELECT c.id")]
    assert len(reads) == 20 + 1
    leases = [each for each in statements if "SET lease_owner = $3" in each.sql]
    assert len(leases) == 1


async def test_a_caller_that_was_told_expired_gets_another_token(holding: Holding) -> None:
    stale = await holding.tokens.access()

    fresh = await holding.tokens.renewed(stale)
    also = await holding.tokens.renewed(stale)

    assert fresh != stale
    assert also == fresh
    assert len(await holding.refreshes()) == 1


async def test_a_lost_answer_is_asked_for_again_with_the_same_token(holding: Holding, clock: Any) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("lost_answer", "token")

    fresh = await holding.tokens.access()

    assert len(await holding.refreshes()) == 2
    row = await holding.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 2, None)
    assert await holding.tokens.access() == fresh


async def test_who_is_killed_between_answer_and_write_back_is_stood_in_for(
    holding: Holding, opened: Deployment, clock: Any
) -> None:
    await clock(TOO_OLD)
    async with asking(opened, holding, HANG_AT="write") as asker:
        asker.go()
        assert await asker.line() == "answered"
        await asker.kill()
    assert (await holding.row())["version"] == 1

    await holding.lapse()
    await clock(timedelta(seconds=36))
    job = (await holding.jobs("finish_refresh"))[0]
    await Runner(ACTORS).run(job["id"])

    row = await holding.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 2, None)
    assert await holding.jobs("finish_refresh") == []
    await holding.tokens.access()
    assert len(await holding.refreshes()) == 2


async def test_the_job_that_finishes_a_refresh_finds_nothing_to_do_when_it_went_well(
    holding: Holding, clock: Any
) -> None:
    await clock(TOO_OLD)
    await holding.tokens.access()
    await clock(timedelta(seconds=36))

    job = (await holding.jobs("finish_refresh"))[0]
    await Runner(ACTORS).run(job["id"])

    assert await holding.jobs("finish_refresh") == []
    assert len(await holding.refreshes()) == 1


async def test_the_job_that_finishes_a_refresh_waits_while_somebody_is_at_it(
    holding: Holding, clock: Any
) -> None:
    await clock(TOO_OLD)
    await holding.above.execute(
        "UPDATE credential SET lease_owner = 'somebody', lease_until = now() + interval '20 seconds' WHERE id = $1",
        holding.credential.id,
    )
    begun = await calendar()

    answer = await finish_refresh(holding.practice_id, holding.credential.id, version=1, since=begun)

    assert answer is not None
    assert answer.at - await calendar() <= timedelta(seconds=5) <= answer.at - begun
    assert await holding.refreshes() == []


async def test_the_job_that_finishes_a_refresh_is_over_when_the_consent_is(
    holding: Holding, clock: Any
) -> None:
    await holding.sandbox.revoke(holding.portal, holding.person)
    await clock(TOO_OLD)

    answer = await finish_refresh(
        holding.practice_id, holding.credential.id, version=1, since=await calendar()
    )

    assert answer is None
    assert (await holding.row())["state"] == "DEAD"


async def test_a_refresh_is_kept_also_when_the_job_that_needed_it_was_lost(
    holding: Holding, clock: Any
) -> None:
    await clock(TOO_OLD)
    lost = Claim(
        job_id=JobId(new_id()),
        practice_id=holding.practice_id,
        actor="gone",
        lane=Lane.BACKGROUND,
        arguments={},
        attempts=1,
        fence=1,
        correlation_id="lost",
    )

    with working_on(lost):
        fresh = await holding.tokens.access()

    assert await holding.tokens.access() == fresh
    assert (await holding.row())["version"] == 2


async def test_a_holder_that_was_stopped_beyond_its_lease_writes_nothing(
    holding: Holding, opened: Deployment, clock: Any
) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("slow", "token", seconds=20)
    async with asking(opened, holding) as asker:
        asker.go()
        await until(lambda: _calls(holding, 1), "it has asked the provider")
        asker.stop()
        await holding.lapse()
        ours = await holding.tokens.access()
        stored = (await holding.row())["tokens_sealed"]
        await holding.sandbox.let_slow_go()
        asker.go_on()

        assert await asker.answers() == [fingerprint(ours.reveal())]

    row = await holding.row()
    assert (row["tokens_sealed"], row["version"], row["lease_owner"]) == (stored, 2, None)
    assert len(await holding.refreshes()) == 2


async def test_cancelled_callers_neither_stop_the_refresh_nor_leak_anything(
    holding: Holding, clock: Any
) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("slow", "token", seconds=1)
    callers = [asyncio.create_task(_access(holding)) for _ in range(20)]
    await until(lambda: _calls(holding, 1), "the provider is asked")

    for caller in callers:
        caller.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*callers)

    await until(lambda: _refreshed(holding), "the refresh went on without them")
    await holding.tokens.access()
    row = await holding.row()
    assert (row["version"], row["lease_owner"], row["lease_until"]) == (2, None, None)
    assert len(await holding.refreshes()) == 1
    figures = pool_figures()
    assert figures["idle"] == figures["size"]


@pytest.mark.parametrize(
    "after", [0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05]
)
async def test_a_refresh_that_is_itself_cancelled_gives_its_lease_back(
    holding: Holding, clock: Any, after: float
) -> None:
    await clock(TOO_OLD)
    task = asyncio.create_task(refresh(holding.practice_id, holding.credential.id, version=1))
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (await holding.row())["lease_owner"] is None
    await holding.tokens.access()
    figures = pool_figures()
    assert figures["idle"] == figures["size"]


async def _access(holding: Holding) -> Any:
    return await holding.tokens.access()


async def _calls(holding: Holding, count: int) -> bool:
    return len(await holding.refreshes()) == count


async def _refreshed(holding: Holding) -> bool:
    return bool((await holding.row())["version"] == 2)
