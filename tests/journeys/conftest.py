"""What the journeys share: a practice that is about to connect."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.firm import Firm
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip


@pytest.fixture
async def trip(firm: Firm, sandbox: Sandbox) -> AsyncIterator[Trip]:
    """A practice with an app at the provider, and somebody with two organisations there."""
    async with httpx.AsyncClient(timeout=30) as browser:
        yield Trip(
            firm=firm,
            sandbox=sandbox,
            app=await sandbox.app(firm.practice_id),
            person=await sandbox.populate("Ashford Bakery Ltd", "Birch & Sons"),
            browser=browser,
        )
