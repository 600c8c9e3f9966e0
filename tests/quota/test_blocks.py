"""Long blocks in PostgreSQL: kept per app, the later one counts, those that are over go."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tieline import clock
from tieline.ids import AppId, new_id
from tieline.quota import Block, KeptBlocks


async def _app(deployment: Deployment, firm: Firm) -> AppId:
    connection = await deployment.connect()
    app_id = AppId(new_id())
    await connection.execute(
        "INSERT INTO provider_app (id, practice_id, provider, environment, client_id, secret_sealed, bulk_consent, "
        "created_at) VALUES ($1, $2, 'xero', 'LIVE', $3, '', false, $4)",
        app_id,
        firm.practice_id,
        str(uuid4()),
        clock.now(),
    )
    await connection.close()
    return app_id


async def test_blocks_are_kept_until_they_are_over(deployment: Deployment, firm: Firm) -> None:
    blocks = KeptBlocks(firm.practice_id, await _app(deployment, firm))
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
    app_id = await _app(deployment, firm)
    block = Block(organisation="a", limit="day", until=clock.now() + timedelta(hours=1))
    await KeptBlocks(firm.practice_id, app_id).keep(block)

    await KeptBlocks(other_firm.practice_id, app_id).keep(block)

    assert await KeptBlocks(other_firm.practice_id, app_id).load() == []
    assert await KeptBlocks(firm.practice_id, app_id).load() == [block]
