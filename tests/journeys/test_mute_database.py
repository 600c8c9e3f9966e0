"""A database that says nothing any more, on lines that stay open: who asks how it is hears so in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from tests.support.blank import migrated_deployment
from tests.support.deployment import Deployment, serving
from tests.support.patience import with_redis
from tests.support.polling import until
from tests.support.ports import free_port
from tests.support.relay import Relay, relaying

OK = {"ready": True, "database": "ok", "schema": "ok", "doorbell": "ok", "pool": "ok"}
AWAY = OK | {"ready": False, "database": "away", "schema": "unknown"}
BOUND = 20.0  # of 3 s, on a machine that has much else to do; who asks the database itself waits for 30
TOGETHER = 5


@pytest.fixture
async def line(deployment: Deployment) -> AsyncIterator[Relay]:
    """The way from a process to the database."""
    port = urlsplit(deployment.environment["TIELINE_DATABASE_URL"]).port
    async with relaying(port or 5432) as relay:
        yield relay


@pytest.fixture
async def own(deployment: Deployment, line: Relay, worker_id: str) -> AsyncIterator[dict[str, str]]:
    """A database of its own, at the end of the line."""
    async with migrated_deployment(deployment, f"tieline_mute_{worker_id}") as made:
        address = urlsplit(made.environment["TIELINE_DATABASE_URL"])
        there = f"{address.netloc.rpartition('@')[0]}@127.0.0.1:{line.port}"
        yield {"TIELINE_DATABASE_URL": urlunsplit(address._replace(netloc=there))}


async def ready(url: str) -> tuple[int, dict[str, Any], bool]:
    """The status, what it says, and whether it came in time."""
    begun = time.monotonic()
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{url}/readyz")
    return answer.status_code, answer.json(), time.monotonic() - begun < BOUND


async def looks(url: str) -> list[tuple[int, dict[str, Any], bool]]:
    return await asyncio.gather(*(ready(url) for _ in range(TOGETHER)))


async def test_a_gateway_says_in_time_that_the_database_is_mute_and_at_once_that_it_speaks_again(
    deployment: Deployment, line: Relay, own: dict[str, str]
) -> None:
    with ExitStack() as stack:
        gateway = await asyncio.to_thread(stack.enter_context, serving(deployment, with_redis, **own))
        before = await looks(gateway.url)

        with line.hushed():
            mute = [*await looks(gateway.url), *await looks(gateway.url)]
        after = await looks(gateway.url)

        await asyncio.to_thread(stack.close)

    assert before == after == [(200, OK, True)] * TOGETHER
    assert mute == [(503, AWAY, True)] * 2 * TOGETHER


async def test_a_scheduler_whose_database_is_mute_says_that_and_not_that_it_is_stuck(
    deployment: Deployment, line: Relay, own: dict[str, str]
) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    scheduler = deployment.begin(("scheduler",), {"TIELINE_HEALTH_PORT": port, **own})
    try:
        await asyncio.to_thread(scheduler.wait_for, "scheduler.started")
        await ready(url)

        with line.hushed():
            mute = [*await looks(url), *await looks(url)]
        await until(lambda: is_ready(url), "the scheduler is ready again")
        code = await asyncio.to_thread(scheduler.stop)
    finally:
        scheduler.kill()

    assert [(status, told.get("database"), in_time) for status, told, in_time in mute] == (
        [(503, "away", True)] * 2 * TOGETHER
    )
    assert code == 0


async def is_ready(url: str) -> bool:
    return (await ready(url))[0] == 200
