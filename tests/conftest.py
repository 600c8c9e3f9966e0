"""What all tests stand on: real servers for the session, a deployment for each test process, a firm for each test."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import redis
from hypothesis import HealthCheck, settings

from tests.support.books import Books, open_books
from tests.support.deployment import (
    Deployment,
    Gateway,
    Process,
    environment_of,
    make_database,
    make_logins_cheap,
    serving,
    with_path,
)
from tests.support.figures import is_full
from tests.support.firm import Firm, open_firm
from tests.support.jobs import JobTable
from tests.support.patience import BELLS, LISTENING, QUOTAS, TELLING, unhurried, wait_long
from tests.support.sandbox import Sandbox, running_sandbox
from tieline import clock as calendar_clock
from tieline import database
from tieline.embedded import default_data_folder, embedded_servers
from tieline.lifespan import ready
from tieline.plugins import session

collect_ignore = ["providers"]  # plugins of nobody's: a test installs each, and runs its own tests then
_LONGEST = "journeys/test_up.py"
_SERVERS = pytest.StashKey[ExitStack]()
_BEGUN = pytest.StashKey[datetime]()
_UNSYNCED = """
UPDATE organisation SET next_sync_at = NULL WHERE id IN (
    SELECT o.id FROM organisation AS o JOIN practice AS p ON p.id = o.practice_id
     WHERE p.created_at < $1 AND o.next_sync_at IS NOT NULL ORDER BY o.id FOR UPDATE OF o)
"""  # locked in the order in which workers lock several
_UNRENEWED = """
UPDATE credential SET refreshed_at = refreshed_at + interval '10 years' WHERE id IN (
    SELECT c.id FROM credential AS c JOIN practice AS p ON p.id = c.practice_id
     WHERE p.created_at < $1 AND c.state = 'LIVE' AND c.refreshed_at < $1 + interval '5 years'
     ORDER BY c.id FOR UPDATE OF c)
"""  # once each, also those that were refreshed on a calendar that was moved on
_ADMIN, _LOGIN, _REDIS = "TIELINE_TEST_ADMIN_URL", "TIELINE_TEST_DATABASE_URL", "TIELINE_TEST_REDIS_URL"


def pytest_configure() -> None:
    """A script's background ignores SIGINT, and so would every process of ours that is to end by it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Else each of thousands of clients reads the authorities' certificates anew, 20 ms of a core for what none uses.
    pytest.MonkeyPatch().setattr(
        "httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context)
    )
    # How long an example takes is the machine's affair: where others use it, any may take seconds. The same are drawn
    # each time, else a change might be refused for what it has not done; a full run of the proofs draws others.
    settings.register_profile(
        "unhurried",
        deadline=None,
        derandomize=not is_full("proofs"),
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("unhurried")


def pytest_collection() -> None:
    """What is collected stays, and looking for garbage among it takes as long as collecting it."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that the processes end together."""
    items.sort(key=lambda item: not item.path.match(_LONGEST))


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: else each full collection of garbage looks through thousands of tests."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers once, in the process that starts the workers; those find them in the environment."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly or _ADMIN in os.environ:
        return
    stack = ExitStack()
    folder = Path(tempfile.mkdtemp(prefix="tieline-test-"))
    data = default_data_folder(folder)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.callback(shutil.rmtree, data, ignore_errors=True)
    servers = stack.enter_context(embedded_servers(data, durable=False))
    addresses = {_ADMIN: servers.admin_url, _LOGIN: servers.database_url, _REDIS: servers.redis_url}
    os.environ.update({name: address for name, address in addresses.items() if address})
    session.config.stash[_SERVERS] = stack
    asyncio.run(make_logins_cheap(os.environ[_ADMIN], os.environ[_LOGIN]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    stack = session.config.stash.get(_SERVERS, None)
    if stack is not None:
        stack.close()
        for name in (_ADMIN, _LOGIN, _REDIS):
            os.environ.pop(name, None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_BEGUN] = datetime.now(UTC)


@pytest.fixture(scope="session")
def admin_url() -> str:
    """The superuser's address of the session's PostgreSQL."""
    return os.environ[_ADMIN]


@pytest.fixture(scope="session")
def deployment(admin_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A migrated database and a Redis database that no other test process uses."""
    number = int(worker_id.removeprefix("gw")) + 1 if worker_id != "master" else 0
    name, migrated = f"tieline_{worker_id}", f"tieline_migrated_{worker_id}"
    redis_url = with_path(os.environ[_REDIS], str(number))
    made = Deployment(
        environment=environment_of(database_url=with_path(os.environ[_LOGIN], name), redis_url=redis_url),
        admin_url=with_path(admin_url, name),
        redis_url=redis_url,
        logs=tmp_path_factory.mktemp("logs"),
        migrated=migrated,
    )
    asyncio.run(make_database(admin_url, migrated))
    asyncio.run(database.migrate(made.at(migrated).settings))
    asyncio.run(make_database(admin_url, name, template=migrated))
    return made


@pytest.fixture(scope="session")
def gateway(deployment: Deployment) -> Iterator[Gateway]:
    """The deployment's gateway, as a process of its own."""
    with serving(deployment, unhurried, TIELINE_PORT=str(deployment.public_port)) as running:
        yield running


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The providers that only pretend, as one process for the session."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[Sandbox]:
    """The same, with no fault left planted by an earlier test."""
    async with httpx.AsyncClient(timeout=30) as client:
        made = Sandbox(url=sandbox_url, http=client)
        await made.control("DELETE", "/faults")
        yield made


@pytest.fixture(scope="session")
async def opened(deployment: Deployment) -> AsyncIterator[Deployment]:
    """The deployment, open in this process too, where a call to a provider is made again without a pause.

    A Redis that stands still for a moment, or this process does, is no Redis that is away.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(session, "_PAUSES_SECONDS", (0.0, 0.0))
        wait_long(patched, *BELLS, *QUOTAS, *TELLING, *LISTENING)
        async with ready(deployment.settings):
            yield deployment


@pytest.fixture(scope="session")
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway's GraphQL path."""
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
        yield client


@pytest.fixture
async def firm(http: httpx.AsyncClient, opened: Deployment) -> Firm:  # noqa: ARG001 - must be open
    """A practice of the test's own, on the plan ADVANCED."""
    return await open_firm(http)


@pytest.fixture
async def other_firm(http: httpx.AsyncClient, opened: Deployment) -> Firm:  # noqa: ARG001 - must be open
    """Another practice, to look in from."""
    return await open_firm(http)


@pytest.fixture(scope="session")
async def sql(opened: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await opened.connect()
    yield connection
    await connection.close()


@pytest.fixture
async def books(sql: asyncpg.Connection) -> Books:
    """A practice of the test's own, written straight into the tables."""
    return await open_books(sql)


@pytest.fixture
async def other_books(sql: asyncpg.Connection) -> Books:
    """Another one, to look in from."""
    return await open_books(sql)


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

    def run(*arguments: str, prepare: Callable[[], None] | None = None, **more: str) -> Process:
        process = deployment.start(*arguments, prepare=prepare, **more)
        started.append(process)
        process.wait_for(f"{arguments[0]}.started")
        return process

    yield run
    for process in started:
        process.kill()
        process.assert_unbroken()


@pytest.fixture(scope="session")
async def superusers(deployment: Deployment) -> AsyncIterator[asyncpg.Pool]:
    """A superuser's connections that are kept: to connect takes longer than what most fixtures ask."""
    kept = {"min_size": 0, "max_inactive_connection_lifetime": 0}
    async with asyncpg.create_pool(deployment.admin_url, **kept) as pool:
        yield pool


@pytest.fixture
async def clock(superusers: asyncpg.Pool, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Moves the deployment's calendar time on, and back to the real one when the test ends.

    What the practices of earlier tests have does not become due by it: hundreds of syncs and renewals.
    """

    async def move(by: timedelta) -> None:
        async with superusers.acquire() as connection:
            for rest in (_UNSYNCED, _UNRENEWED):
                await connection.execute(rest, request.node.stash[_BEGUN])
            await connection.execute("UPDATE clock SET offset_by = offset_by + $1", by)

    yield move
    await superusers.execute("UPDATE clock SET offset_by = '0'")
    calendar_clock.set_offset(timedelta(0))  # by itself this process learns of it only in its next scope
