"""Practices whose books are written straight into the tables; the services are called in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.support.books import Books, open_books, pretending
from tests.support.deployment import Deployment


@pytest.fixture(scope="session")
async def sql(opened: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await opened.connect()
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def providers(opened: Deployment) -> Iterator[None]:  # noqa: ARG001 - must be open
    with pretending():
        yield


@pytest.fixture
async def books(sql: asyncpg.Connection) -> Books:
    """A practice of the test's own."""
    return await open_books(sql)


@pytest.fixture
async def other_books(sql: asyncpg.Connection) -> Books:
    return await open_books(sql)
