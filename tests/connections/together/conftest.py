"""The providers of this process, and the stage on which two play at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import httpx
import pytest

from tests.connections.together.cutting import Cutting, seen
from tests.connections.together.keeping import keep
from tests.connections.together.ledger import MANY, ONE, Ledger, Remembering
from tests.connections.together.pairs import furnish
from tests.connections.together.playing import Play
from tests.connections.together.stage import BOOKS, Witness, set_stage
from tests.support.deployment import Deployment
from tieline import host
from tieline.plugins import Registry


@pytest.fixture
async def ledger(opened: Deployment, sql: asyncpg.Connection) -> AsyncIterator[Ledger]:  # noqa: ARG001 - open
    """The providers of this process; whoever asks them is answered by it."""
    made = Ledger(BOOKS)
    watching = await opened.connect()
    made.uses = Witness(watching, made)
    before = host.host()
    async with httpx.AsyncClient(transport=httpx.MockTransport(made.answer)) as client:
        registry = Registry.of(Remembering(MANY), Remembering(ONE))
        host.install(replace(before, registry=registry, client=client))
        yield made
        host.install(before)
    await watching.close()


@pytest.fixture
async def play(ledger: Ledger, opened: Deployment, sql: asyncpg.Connection) -> AsyncIterator[Play]:
    stage = await set_stage(sql, ledger)
    await furnish(stage)
    watching = await opened.connect()
    cutting = Cutting(watching)
    ledger.moment = cutting.moment
    try:
        with seen(cutting):
            yield Play(stage=stage, cutting=cutting, begun=await keep(stage, "furnished"))
    finally:
        await watching.close()
