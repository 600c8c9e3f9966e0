"""A Redis of a test's own, and a practice that commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Deployment
from tests.support.own_redis import OwnRedis, running_redis
from tieline.ids import new_id
from tieline.practices.service import NewMember, create_practice
from tieline.principal import Principal, Role


@pytest.fixture
def own_redis(deployment: Deployment, tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis that runs when the test begins."""
    with running_redis(deployment, tmp_path) as made:
        yield made


@pytest.fixture
async def principal(opened: Deployment) -> Principal:  # noqa: ARG001 - must be open
    """The admin of a practice of the test's own."""
    first = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    made = await create_practice(f"Firm {new_id()}", admin=first)
    return Principal.machine(made.id)
