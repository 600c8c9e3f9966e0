"""The providers of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import httpx
import pytest

from tests.connections.together.ledger import MANY, ONE, Ledger, Remembering
from tests.connections.together.stage import BOOKS, Witness
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
