"""What the journeys through jobs share: the table of jobs, and processes that do not outlive their test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
import redis

from tests.support.deployment import Deployment, Process
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip


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

    def run(*arguments: str) -> Process:
        process = deployment.start(*arguments)
        started.append(process)
        process.wait_for(f"{arguments[0]}.started")
        return process

    yield run
    for process in started:
        process.kill()
        process.assert_unbroken()


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
