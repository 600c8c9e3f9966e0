"""Redis is only a doorbell: while it is away or mute everything works, and somebody is told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.deployment import Deployment, serving
from tests.support.firm import CREATE, Firm
from tests.support.jobs import JobTable, enqueue_pruning
from tests.support.ports import free_port
from tieline.events.actors import prune_events
from tieline.settings import load_settings
from tieline.work import doorbell, system_work
from tieline.work.doorbell import Doorbell, make_broker

DEADLINE_SECONDS = 20.0


def bell_at(opened: Deployment, monkeypatch: pytest.MonkeyPatch, port: int) -> Doorbell:
    """Make this process ring a Redis on this port."""
    url = urlsplit(opened.redis_url)
    netloc = f"{url.netloc.rpartition(':')[0]}:{port}"
    for name, value in opened.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIELINE_REDIS_URL", urlunsplit(url._replace(netloc=netloc)))
    bell = Doorbell(make_broker(load_settings()))
    monkeypatch.setattr(doorbell, "_doorbell", bell)
    return bell


@asynccontextmanager
async def mute() -> AsyncIterator[int]:
    """A port that takes connections and never says a word."""
    gone = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    gone.set()
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def forwarding(port: int, to: int) -> AsyncIterator[None]:
    """The real Redis, on another port."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(carry(reader, forth), carry(back, writer))

    server = await asyncio.start_server(join, "127.0.0.1", port)
    yield
    server.close()


async def test_while_redis_is_away_jobs_are_kept_and_one_warning_says_so(
    opened: Deployment, jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell_at(opened, monkeypatch, free_port())

    with capture_logs() as logged:
        for number in range(5):
            async with system_work() as work:
                work.enqueue(prune_events, key=f"{number}:test", keep_days=30)

    assert len(await jobs.all()) == 5
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [("doorbell.away", "warning")]


async def test_a_mute_redis_holds_up_only_the_first_mutation_and_that_for_a_bounded_while(
    opened: Deployment, jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "_ANSWER_SECONDS", 1.0)
    async with mute() as port:
        bell_at(opened, monkeypatch, port)

        with capture_logs() as logged:
            async with asyncio.timeout(DEADLINE_SECONDS):  # each on its own would need longer together
                for _ in range(20):
                    await enqueue_pruning()

    assert (await jobs.one())["attempts"] == 0
    assert [entry["event"] for entry in logged] == ["doorbell.away"]


async def test_when_redis_is_back_the_doorbell_rings_again_and_says_so_once(
    opened: Deployment, jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, real = free_port(), urlsplit(opened.redis_url).port
    assert real is not None
    bell_at(opened, monkeypatch, port)
    monkeypatch.setattr(doorbell, "_QUIET_SECONDS", 0.0)

    with capture_logs() as logged:
        await enqueue_pruning()
        async with forwarding(port, to=real):
            await enqueue_pruning()
            await enqueue_pruning()

    assert [entry["event"] for entry in logged] == ["doorbell.away", "doorbell.back"]
    assert jobs.rings() == 2


async def test_a_gateway_without_redis_is_ready_and_changes_things(opened: Deployment, firm: Firm) -> None:
    with serving(opened, TIELINE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as alone:
        async with httpx.AsyncClient(base_url=alone.url, timeout=DEADLINE_SECONDS) as http:
            ready = await http.get("/readyz")
            created = await http.post(
                "/graphql",
                json={"query": CREATE, "variables": {"input": {"name": "Without a bell"}}},
                headers={"authorization": f"Bearer {firm.admin.key}"},
            )

    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ready.json()["doorbell"].startswith("away")
    assert created.json()["data"]["createClient"]["errors"] == []


async def test_a_gateway_whose_redis_is_mute_still_ends_when_it_is_told_to(opened: Deployment) -> None:
    async with mute() as port:
        with serving(opened, TIELINE_REDIS_URL=f"redis://127.0.0.1:{port}/0") as alone:
            async with httpx.AsyncClient(timeout=DEADLINE_SECONDS) as http:
                answers = await asyncio.gather(*(http.get(f"{alone.url}/readyz") for _ in range(20)))
            code = await asyncio.to_thread(alone.process.stop)

    assert {answer.status_code for answer in answers} == {200}
    assert code == 0
