"""What tests of syncs share: practices written straight into the tables, and a provider that follows a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest
import redis

from tests.support.books import Books, open_books
from tests.support.deployment import Deployment, Process
from tests.support.jobs import JobTable
from tests.sync.scripted import Reading, Script, reading, scripted


@pytest.fixture(scope="session")
async def sql(opened: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await opened.connect()
    yield connection
    await connection.close()


@pytest.fixture
async def books(sql: asyncpg.Connection) -> Books:
    """A practice of the test's own."""
    return await open_books(sql)


@pytest.fixture
def script(opened: Deployment) -> Iterator[Script]:  # noqa: ARG001 - must be open
    """The only provider of this process."""
    made = Script()
    with scripted(made):
        yield made


@pytest.fixture
async def client(books: Books, script: Script) -> Reading:
    """A client connected for BOOKKEEPING, with a run that is queued."""
    return await reading(books, script)


@pytest.fixture
async def jobs(opened: Deployment) -> AsyncIterator[JobTable]:
    """An empty table of jobs, and nothing in Redis."""
    connection = await opened.connect()
    with redis.Redis.from_url(opened.redis_url) as bells:
        table = JobTable(connection=connection, redis=bells)
        await table.clear()
        yield table
        await table.clear()
    await connection.close()


@pytest.fixture
def start(deployment: Deployment) -> Iterator[Callable[..., Process]]:
    """Starts a worker or scheduler and waits until it serves; what still runs at the test's end is killed."""
    started: list[Process] = []

    def run(*arguments: str, **more: str) -> Process:
        process = deployment.start(*arguments, **more)
        started.append(process)
        process.wait_for(f"{arguments[0]}.started")
        return process

    yield run
    for process in started:
        process.kill()
        process.assert_unbroken()
