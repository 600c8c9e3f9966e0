"""What the tests of webhooks share: an app at each provider whose webhooks are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.books import Books
from tests.support.deployment import Gateway
from tests.webhooks.desk import INTUIT, XERO, Desk, Way, desk_at


@pytest.fixture(params=[XERO, INTUIT], ids=lambda way: way.provider)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
async def desk(way: Way, books: Books, gateway: Gateway) -> AsyncIterator[Desk]:
    async with desk_at(way, books, gateway.url) as made:
        yield made
