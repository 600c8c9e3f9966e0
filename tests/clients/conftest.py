"""Practices whose books are written straight into the tables; the services are called in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.books import pretending
from tests.support.deployment import Deployment


@pytest.fixture(autouse=True)
def providers(opened: Deployment) -> Iterator[None]:  # noqa: ARG001 - must be open
    with pretending():
        yield
