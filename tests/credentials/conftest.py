"""What tests of credentials share: a sandbox of their own, and a practice with a person who has consented there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.credentials.holding import Holding, hold
from tests.support.deployment import Deployment
from tests.support.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[Sandbox]:
    """The sandbox, with no fault left over from another test."""
    async with httpx.AsyncClient(timeout=30) as http:
        sandbox = Sandbox(url=sandbox_url, http=http)
        await sandbox.control("DELETE", "/faults")
        yield sandbox


@pytest.fixture
async def holding(opened: Deployment, sandbox: Sandbox) -> AsyncIterator[Holding]:
    """A credential of a practice of the test's own, fresh from a consent to two organisations."""
    connection = await opened.connect()
    yield await hold(sandbox, connection)
    await connection.close()
