"""Long blocks in PostgreSQL: kept per app, the later one counts, those that are over go; a wiped Redis is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from tests.quota.conftest import Bench, app_of
from tests.quota.limits import a_minute, call, throttled
from tests.support import polling
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tieline import clock
from tieline.errors import QuotaSpent
from tieline.ids import new_id
from tieline.quota import Block, KeptInRows, Meter

_HOLD = "SELECT until FROM quota_block WHERE provider_app_id = $1 AND external_id = $2 FOR UPDATE"
_SOMEBODY_WAITS = """
SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))
"""


@pytest.fixture
async def above(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await deployment.connect()
    yield connection
    await connection.close()


async def test_blocks_are_kept_until_they_are_over(deployment: Deployment, firm: Firm) -> None:
    blocks = KeptInRows(firm.practice_id, await app_of(deployment, firm))
    soon, later = clock.now() + timedelta(seconds=90), clock.now() + timedelta(hours=20)

    for organisation, limit, until in (
        ("a", "day", later),
        ("a", "day", soon),
        (None, "app_minute", soon),
        ("b", "day", clock.now() - timedelta(seconds=1)),
    ):
        await blocks.keep(Block(organisation=organisation, limit=limit, until=until))

    assert sorted(await blocks.load(), key=lambda block: block.limit) == [
        Block(organisation=None, limit="app_minute", until=soon),
        Block(organisation="a", limit="day", until=later),
    ]


async def test_a_practice_sees_its_own_blocks_only(
    deployment: Deployment, firm: Firm, other_firm: Firm
) -> None:
    app_id = await app_of(deployment, firm)
    block = Block(organisation="a", limit="day", until=clock.now() + timedelta(hours=1))
    await KeptInRows(firm.practice_id, app_id).keep(block)

    await KeptInRows(other_firm.practice_id, app_id).keep(block)

    assert await KeptInRows(other_firm.practice_id, app_id).load() == []
    assert await KeptInRows(firm.practice_id, app_id).load() == [block]


async def test_of_copies_of_an_app_a_wiped_redis_is_told_the_blocks_of_each_and_other_apps_are_left_alone(
    bench: Bench, deployment: Deployment, firm: Firm, other_firm: Firm
) -> None:
    process, apart = bench.quota(), Meter(provider="pretend", client_id=str(new_id()))
    copies = [KeptInRows(each.practice_id, await app_of(deployment, each)) for each in (firm, other_firm)]
    another = KeptInRows(firm.practice_id, await app_of(deployment, firm, "pretend"))
    one, copy = (bench.gate(a_minute(9), quota=process, lasting=each, patience=5) for each in copies)
    other_app = bench.gate(a_minute(9), quota=process, meter=apart, lasting=another)
    await call(one, "a", throttled("day", 7_200))
    await call(copy, "b", throttled("day", 3_600))

    await bench.wipe()

    for gate, organisation in ((copy, "b"), (one, "a"), (one, "b"), (copy, "a")):
        with pytest.raises(QuotaSpent, match="'day'"):
            await call(gate, organisation)
    for gate, organisation in ((one, "c"), (copy, "c"), (other_app, "a"), (other_app, "b")):
        await call(gate, organisation)


async def test_while_redis_is_away_the_blocks_of_each_copy_of_an_app_are_read(
    away: Bench, deployment: Deployment, firm: Firm, other_firm: Firm
) -> None:
    copies = [KeptInRows(each.practice_id, await app_of(deployment, each)) for each in (firm, other_firm)]
    await copies[0].keep(_block("a"))
    process = away.quota()
    one, copy = (away.gate(a_minute(40), quota=process, lasting=each) for each in copies)

    await call(copy, "b")

    with pytest.raises(QuotaSpent, match="'day'"):
        await call(one, "a")


async def test_whoever_keeps_a_block_waits_for_nobody_who_holds_one_that_is_over(
    deployment: Deployment, firm: Firm, above: asyncpg.Connection
) -> None:
    blocks = KeptInRows(firm.practice_id, await app_of(deployment, firm))
    await _store(above, blocks, over=-1)
    async with above.transaction():
        await above.execute(_HOLD, blocks.app_id, "over")

        async with asyncio.timeout(20):
            await blocks.keep(_block("new"))

    assert [block.organisation for block in await blocks.load()] == ["new"]


async def test_whoever_waits_to_keep_a_block_holds_none_that_is_over(
    deployment: Deployment, firm: Firm, above: asyncpg.Connection
) -> None:
    blocks = KeptInRows(firm.practice_id, await app_of(deployment, firm))
    await _store(above, blocks, over=-1, standing=1)
    async with above.transaction():
        await above.execute(_HOLD, blocks.app_id, "standing")
        waiting = asyncio.create_task(blocks.keep(_block("standing")))
        await polling.until(lambda: above.fetchval(_SOMEBODY_WAITS), "it waits for that one")

        assert await above.fetch(f"{_HOLD} SKIP LOCKED", blocks.app_id, "over") != []
    await waiting


async def _store(above: asyncpg.Connection, blocks: KeptInRows, **hours: int) -> None:
    """Blocks of organisations that end in so many hours."""
    await above.executemany(
        "INSERT INTO quota_block (practice_id, provider_app_id, external_id, limit_name, until) "
        "VALUES ($1, $2, $3, 'day', $4)",
        [
            (blocks.practice_id, blocks.app_id, whose, clock.now() + timedelta(hours=until))
            for whose, until in hours.items()
        ],
    )


def _block(organisation: str) -> Block:
    return Block(organisation=organisation, limit="day", until=clock.now() + timedelta(hours=1))
