"""What tests of credentials share: a practice with a person who has consented at the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.credentials.holding import Holding, hold
from tests.support.deployment import Deployment
from tests.support.sandbox import Sandbox


@pytest.fixture
async def holding(opened: Deployment, sandbox: Sandbox) -> AsyncIterator[Holding]:
    """A credential of a practice of the test's own, fresh from a consent to two organisations."""
    connection = await opened.connect()
    yield await hold(sandbox, connection)
    await connection.close()
