"""What tests of buckets stand on: a Redis of their own, and processes that share it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Deployment
from tests.support.own_redis import OwnRedis, running_redis


@pytest.fixture
def own_redis(deployment: Deployment, tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis that runs when the test begins."""
    with running_redis(deployment, tmp_path) as made:
        yield made
