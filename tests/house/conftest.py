"""A database for each test that asks for one, empty or with this version's tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support import source
from tests.support.blank import blank_deployment, migrated_deployment
from tests.support.deployment import Deployment


@pytest.fixture(scope="module", autouse=True)
def _forget_the_source() -> Iterator[None]:
    """What a module has read of our own source is of no use to the next."""
    yield
    source.forget()


@pytest.fixture
async def empty(deployment: Deployment, worker_id: str) -> AsyncIterator[Deployment]:
    """A deployment whose database holds nothing; the roles are the cluster's and there already."""
    async with blank_deployment(deployment, f"tieline_house_{worker_id}") as made:
        yield made


@pytest.fixture
async def up_to_date(deployment: Deployment, worker_id: str) -> AsyncIterator[Deployment]:
    """A deployment whose database holds this version's tables and nothing in them."""
    async with migrated_deployment(deployment, f"tieline_up_to_date_{worker_id}") as made:
        yield made
