"""Whatever is cancelled, wherever and whenever: the pool stays whole and the next caller is served."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import CREATE, Firm
from tests.support.polling import until
from tests.support.sockets import caller_at
from tieline.clients.service import NewClient, create_client, get_client, list_clients, rename_client
from tieline.database import current, pool_figures, scope, system_scope
from tieline.errors import Busy
from tieline.ids import PracticeId
from tieline.practices.service import view
from tieline.principal import Principal
from tieline.work import system_work, unit_of_work

PAGE = "{ clients(first: 20) { totalCount nodes { name team { name } } } viewer { practice { name } } }"
SOON_SECONDS = 15.0  # after twice that the server itself ends a transaction that somebody forgot


@pytest.fixture(scope="module")
def narrow(deployment: Deployment) -> Iterator[Gateway]:
    """A gateway with two connections to the database: one that leaks is felt at once."""
    with serving(deployment, TIELINE_DATABASE_POOL_SIZE="2") as running:
        yield running


async def connections(gateway: Gateway) -> dict[str, float]:
    """The gateway's own figures of its pool, by state."""
    async with httpx.AsyncClient(timeout=30) as http:
        exposed = (await http.get(f"{gateway.url}/metrics")).text
    return {
        sample.labels["state"]: sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
        if sample.name == "tieline_database_connections"
    }


async def wait_until_whole(gateway: Gateway) -> None:
    async def whole() -> bool:
        figures = await connections(gateway)
        return figures["idle"] == figures["size"] and figures["limit"] == 2

    await until(whole, "all connections of the gateway are idle", seconds=SOON_SECONDS)


async def pool_is_whole() -> bool:
    figures = pool_figures()
    return figures["idle"] == figures["size"] > 0


async def test_a_thousand_cancelled_service_calls_leave_the_pool_whole(firm: Firm) -> None:
    principal = Principal.machine(firm.practice_id)
    client = await create_client(principal, NewClient(name="Renamed over and over"))
    chance = random.Random(11)  # noqa: S311 - moments, not secrets
    cancelled = 0

    async def one(number: int) -> None:
        calls = (
            lambda: list_clients(principal, first=5),
            lambda: get_client(principal, client.id),
            lambda: view(principal),
            lambda: create_client(principal, NewClient(name=f"Client {number}")),
            lambda: rename_client(principal, client.id, f"Name {number}"),
        )
        await calls[number % len(calls)]()

    async def cancel_one(number: int) -> bool:
        task = asyncio.create_task(one(number))
        asyncio.get_running_loop().call_later(chance.uniform(0, 0.02), task.cancel)
        with suppress(asyncio.CancelledError, Busy):
            await task
        return task.cancelled()

    while cancelled < 1_000:
        cancelled += sum(await asyncio.gather(*(cancel_one(number) for number in range(25))))

    await until(pool_is_whole, "all connections are idle", seconds=SOON_SECONDS)
    assert (await list_clients(principal)).total > 0


async def test_three_hundred_subscriptions_completed_at_once_leave_the_gateway_whole(
    narrow: Gateway, firm: Firm
) -> None:
    chance = random.Random(13)  # noqa: S311 - moments, not secrets
    async with caller_at(narrow.socket, firm.admin.key) as socket:
        for number in range(300):
            await socket.subscribe(str(number), PAGE)
            if chance.random() < 0.5:
                await asyncio.sleep(chance.uniform(0, 0.01))
            await socket.complete(str(number))

        async with asyncio.timeout(SOON_SECONDS):
            answer = await socket.ask(PAGE)

    await wait_until_whole(narrow)
    assert answer["data"]["clients"]["totalCount"] == 0


async def test_sockets_that_drop_with_operations_under_way_leave_the_gateway_whole(
    narrow: Gateway, firm: Firm
) -> None:
    for number in range(30):
        async with caller_at(narrow.socket, firm.admin.key) as socket:
            for each in range(10):
                await socket.subscribe(str(each), PAGE)
            if number % 2:
                socket.connection.transport.abort()

    await wait_until_whole(narrow)


async def test_three_hundred_requests_aborted_by_their_callers_leave_the_gateway_whole(
    narrow: Gateway, firm: Firm
) -> None:
    address = urlsplit(narrow.url)
    chance = random.Random(17)  # noqa: S311 - moments, not secrets

    async def abort(number: int) -> None:
        asked = {"query": CREATE, "variables": {"input": {"name": f"Aborted {number}"}}}
        body = json.dumps(asked if number % 3 == 0 else {"query": PAGE})
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: {address.netloc}\r\nauthorization: Bearer {firm.admin.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        is_patient = number % 30 == 0
        cut = None if is_patient else chance.choice((None, None, None, -5))
        writer.write((head + body)[:cut].encode())
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON_SECONDS if is_patient else chance.uniform(0, 0.03)):
                await reader.read(1)
        writer.transport.abort()

    for batch in range(30):
        await asyncio.gather(*(abort(batch * 10 + number) for number in range(10)))

    await wait_until_whole(narrow)
    async with httpx.AsyncClient(base_url=narrow.url, timeout=30) as http:
        answer = await http.post(
            "/graphql", json={"query": PAGE}, headers={"authorization": f"Bearer {firm.admin.key}"}
        )
    assert 10 <= answer.json()["data"]["clients"]["totalCount"] <= 100


@pytest.fixture
async def practice_id(firm: Firm) -> AsyncIterator[PracticeId]:
    """A practice; and whatever the test does with scopes, the pool is whole afterwards."""
    yield firm.practice_id
    await until(pool_is_whole, "all connections are idle", seconds=SOON_SECONDS)


async def test_a_scope_or_unit_of_work_inside_of_another_is_an_error(practice_id: PracticeId) -> None:
    principal = Principal.machine(practice_id)
    for outer in (scope(practice_id), system_scope(), unit_of_work(principal), system_work()):
        async with outer:
            for inner in (scope(practice_id), system_scope(), unit_of_work(principal), system_work()):
                with pytest.raises(RuntimeError, match="a scope is open already"):
                    await inner.__aenter__()
            with pytest.raises(RuntimeError, match="a scope is open already"):
                await list_clients(principal)


async def test_a_query_outside_of_a_scope_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no scope is open here"):
        current()


async def test_a_task_that_outlives_the_scope_it_was_made_in_can_neither_use_it_nor_open_its_own(
    practice_id: PracticeId,
) -> None:
    closed = asyncio.Event()

    async def use() -> None:
        await closed.wait()
        await current().value("SELECT 1")

    async def open_another() -> None:
        await closed.wait()
        await list_clients(Principal.machine(practice_id))

    async with scope(practice_id):
        tasks = [asyncio.create_task(use()), asyncio.create_task(open_another())]
    closed.set()
    using, opening = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(using, RuntimeError)
    assert "scope that this task was made in is over" in str(using)
    assert isinstance(opening, RuntimeError)
    assert "a scope is open already" in str(opening)
