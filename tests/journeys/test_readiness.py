"""Ready or not: what `/readyz` says when the schema does not fit or the database is away, and coming back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from tests.support.blank import migrated_deployment
from tests.support.deployment import Deployment, Gateway, serving
from tests.support.locks import until_blocked
from tests.support.patience import with_redis
from tests.support.polling import until
from tieline.database import SchemaState
from tieline.database.migrate import known_migrations
from tieline.database.migration import RECORD

VIEWER = "{ viewer { practice { name } } }"
PRACTICE = ("practice", "create", "A Practice", "--admin-name", "Ada", "--admin-email", "ada@firm.invalid")
KEY = ("key", "create", "--practice", "A Practice", "--person", "ada@firm.invalid", "--name", "test")
OK = {"ready": True, "database": "ok", "schema": "ok", "doorbell": "ok", "pool": "ok"}
_SEATS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%/' || $1::text
"""
_REFUSED = 'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}'
_TERMINATE = "SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity WHERE datname = $1"


@pytest.fixture(scope="module")
async def own(deployment: Deployment, worker_id: str) -> AsyncIterator[Deployment]:
    """A deployment on a database of its own, which may be broken."""
    async with migrated_deployment(deployment, f"tieline_ready_{worker_id}") as made:
        yield made


@pytest.fixture(scope="module")
async def key(own: Deployment) -> str:
    created = await asyncio.to_thread(own.run, *PRACTICE)
    assert created.returncode == 0, created.stderr
    return (await asyncio.to_thread(own.run, *KEY)).stdout.strip()


@pytest.fixture(scope="module")
async def broken(own: Deployment, key: str) -> AsyncIterator[Gateway]:  # noqa: ARG001 - the practice is there first
    """Its gateway; afterwards it must not have logged any traceback, nor have been started again."""
    with serving(own, with_redis) as running:
        yield running


async def ready(gateway: Gateway) -> tuple[int, dict[str, str]]:
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.get(f"{gateway.url}/readyz")
    return answer.status_code, answer.json()


async def ask(gateway: Gateway, key: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(
            gateway.graphql, json={"query": VIEWER}, headers={"authorization": f"Bearer {key}"}
        )


async def is_ready(gateway: Gateway) -> bool:
    return (await ready(gateway))[0] == 200


@asynccontextmanager
async def away(shared: Deployment, own: Deployment) -> AsyncIterator[None]:
    """The database takes no connections until the block ends, and those there were are gone."""
    name = urlsplit(own.admin_url).path[1:]
    connection = await shared.connect()
    try:
        await connection.execute(_REFUSED.format(name=name, allowed="false"))
        await connection.execute(_TERMINATE, name)
        yield
    finally:
        await connection.execute(_REFUSED.format(name=name, allowed="true"))
        await connection.close()


@asynccontextmanager
async def above(own: Deployment) -> AsyncIterator[asyncpg.Connection]:
    connection = await own.connect()
    yield connection
    await connection.close()


async def test_a_gateway_is_ready_when_database_schema_and_doorbell_are(broken: Gateway) -> None:
    assert await ready(broken) == (200, OK)


async def test_a_schema_that_lacks_a_migration_is_said_in_a_sentence(
    own: Deployment, broken: Gateway
) -> None:
    last = known_migrations()[-1]
    async with above(own) as connection:
        await connection.execute("DELETE FROM tortoise_migrations WHERE name = $1", last)
        lacking = await ready(broken)
        await connection.execute(RECORD, "tieline", last)

    refusal = SchemaState(applied=known_migrations()[:-1], known=known_migrations()).refusal()
    assert lacking == (503, OK | {"ready": False, "schema": str(refusal)})
    assert "tieline migrate" in str(refusal)
    assert await is_ready(broken)


async def test_a_schema_of_a_newer_version_is_said_in_a_sentence(own: Deployment, broken: Gateway) -> None:
    async with above(own) as connection:
        await connection.execute(RECORD, "tieline", "9999_later")
        status, report = await ready(broken)
        await connection.execute("DELETE FROM tortoise_migrations WHERE name = '9999_later'")

    assert status == 503
    assert (
        report["schema"]
        == "The database was migrated by a newer Tieline (it has 9999_later): start that version."
    )
    assert await is_ready(broken)


async def test_connections_that_the_server_cut_are_replaced_before_anybody_notices(
    deployment: Deployment, own: Deployment, broken: Gateway, key: str
) -> None:
    connection = await deployment.connect()
    for _ in range(3):
        assert (await ask(broken, key)).status_code == 200
        await connection.execute(_TERMINATE, urlsplit(own.admin_url).path[1:])
        assert (await ask(broken, key)).status_code == 200
    await connection.close()


async def test_while_the_database_is_away_callers_are_told_so_and_afterwards_all_goes_on_by_itself(
    deployment: Deployment, own: Deployment, key: str
) -> None:
    with serving(own) as gateway:
        async with away(deployment, own):
            status, report = await ready(gateway)
            refused = await ask(gateway, key)
            async with httpx.AsyncClient(timeout=30) as http:
                alive = await http.get(f"{gateway.url}/livez")
                counted = await http.get(f"{gateway.url}/metrics")
        await until(lambda: is_ready(gateway), "the gateway is ready again")
        answered = await ask(gateway, key)

    assert (status, report["database"], report["schema"]) == (503, "away", "unknown")
    assert refused.status_code == 503
    assert [error["extensions"]["code"] for error in refused.json()["errors"]] == ["UNAVAILABLE"]
    assert (alive.status_code, counted.status_code) == (200, 200)
    assert answered.json()["data"]["viewer"]["practice"]["name"] == "A Practice"


async def test_a_gateway_whose_connections_are_all_taken_is_ready_and_says_so(
    own: Deployment, key: str
) -> None:
    with serving(own, with_redis, TIELINE_DATABASE_POOL_SIZE="2") as gateway:
        async with above(own) as looking, above(own) as holding:
            async with holding.transaction():
                await holding.execute("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE")
                asking = [asyncio.create_task(ask(gateway, key)) for _ in range(5)]
                await until_blocked(looking, "both connections wait for the lock", count=2)
                before = await looking.fetchval(_SEATS, str(gateway.process.popen.pid))
                taken = await asyncio.gather(*(ready(gateway) for _ in range(20)))
                after = await looking.fetchval(_SEATS, str(gateway.process.popen.pid))
            answers = await asyncio.gather(*asking)
        free = await ready(gateway)

    busy = "taken: who comes now waits for a connection"
    assert taken == [(200, OK | {"pool": busy})] * 20
    assert after == before
    assert [answer.status_code for answer in answers] == [200] * 5
    assert free == (200, OK)


async def test_worker_and_scheduler_wait_for_a_database_that_is_away_and_go_on(
    deployment: Deployment, own: Deployment, broken: Gateway
) -> None:
    worker, scheduler = own.start("worker"), own.start("scheduler")
    try:
        await asyncio.to_thread(worker.wait_for, "worker.started")
        await asyncio.to_thread(worker.wait_for, "job.done")
        async with away(deployment, own):
            await asyncio.to_thread(scheduler.wait_for, "scheduler.away")
        await asyncio.to_thread(scheduler.wait_for, "scheduler.back")
        await until(lambda: is_ready(broken), "the database is back")
        async with above(own) as connection:
            await connection.execute("UPDATE job SET due_at = created_at")

        async def ran_again() -> bool:
            return worker.logged().count("job.done") > 1

        await until(ran_again, "the worker works again")
        codes = [await asyncio.to_thread(worker.stop), await asyncio.to_thread(scheduler.stop)]
    finally:
        worker.kill()
        scheduler.kill()

    assert codes == [0, 0]
    assert scheduler.logged().count("scheduler.away") == 1
    worker.assert_unbroken()
    scheduler.assert_unbroken()
