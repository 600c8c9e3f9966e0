"""What processes that serve no API tell of themselves, and what a gateway tells of its subscriptions and of Redis."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from tests.support.counted import figure
from tests.support.deployment import Deployment, Gateway, Process, serving
from tests.support.events import cursor_of, listening, rename
from tests.support.firm import Firm
from tests.support.jobs import JobTable, enqueue_pruning
from tests.support.own_redis import running_redis
from tests.support.patience import BELLS, wait_long, with_redis
from tests.support.polling import until
from tests.support.ports import free_port
from tieline.database import system_scope
from tieline.errors import StartRefused
from tieline.work.doorbell import Doorbell, make_broker
from tieline.worker import health

Start = Callable[..., Process]
ENDED = "tieline_jobs_ended_total"
PRODUCTION = {"TIELINE_ENVIRONMENT": "production", "TIELINE_CLOCK": "real"}


async def asked(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.get(url, headers=headers)


def patient() -> None:
    """To stand still for seconds is neither to be stuck nor to be away."""
    patch.object(health, "_SECONDS", 40.0).start()
    with_redis()


async def test_a_worker_tells_at_its_port_how_it_is_and_what_it_has_done(
    jobs: JobTable, start: Start
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    worker = start("worker", prepare=patient, TIELINE_HEALTH_PORT=str(port))
    await asyncio.to_thread(worker.wait_for, "health.started")

    alive, ready, other = [await asked(f"{url}/{name}") for name in ("livez", "readyz", "else")]
    await enqueue_pruning()
    await jobs.wait_until_over()

    async def is_counted() -> bool:
        return await figure(url, ENDED, actor="events.prune_events", outcome="done") == 1

    await until(is_counted, "the sweep is counted")
    assert (alive.status_code, alive.text) == (200, "ok\n")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "database": "ok", "schema": "ok", "doorbell": "ok", "pool": "ok"},
    )
    assert other.status_code == 404
    assert await figure(url, "tieline_job_seconds_count", actor="events.prune_events") == 1
    assert await figure(url, "tieline_database_connections", state="limit") == 10
    assert worker.stop() == 0
    worker.assert_unbroken()


async def test_a_scheduler_tells_its_figures_in_production_to_whoever_holds_the_token(
    jobs: JobTable,  # noqa: ARG001 - no other jobs
    start: Start,
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    token = {"TIELINE_METRICS_TOKEN": "for-the-scraper"}
    scheduler = start("scheduler", TIELINE_HEALTH_PORT=str(port), **token, **PRODUCTION)
    await asyncio.to_thread(scheduler.wait_for, "health.started")

    shown = await asked(url, authorization="Bearer for-the-scraper")
    hidden = [await asked(url), await asked(url, authorization="Bearer for-the-scrape")]

    assert "tieline_loop_lag_seconds_count" in shown.text
    assert [answer.status_code for answer in (shown, *hidden)] == [200, 404, 404]
    assert scheduler.stop() == 0


@contextmanager
def a_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def test_a_process_whose_loop_stands_still_says_so(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_SECONDS", 0.2)
    settings = deployment.settings.model_copy(update={"health_port": free_port()})
    url, release = f"http://127.0.0.1:{settings.health_port}", threading.Event()

    with a_loop() as loop, health.answering(settings, loop):
        loop.call_soon_threadsafe(release.wait)
        stuck = [await asked(f"{url}/livez"), await asked(f"{url}/readyz")]
        release.set()
        monkeypatch.setattr(health, "_SECONDS", 10.0)
        alive = await asked(f"{url}/livez")

    assert [(each.status_code, each.text) for each in stuck] == [
        (503, "stuck\n"),
        (503, '{"ready": false, "stuck": true}'),
    ]
    assert alive.status_code == 200


async def test_a_process_that_has_a_port_for_its_health_asks_no_name_server_what_it_is_called(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[str] = []

    def answer(name: str = "") -> str:
        asked_for.append(name)
        return name

    monkeypatch.setattr("socket.getfqdn", answer)
    settings = deployment.settings.model_copy(update={"health_port": free_port()})

    with a_loop() as loop, health.answering(settings, loop):
        alive = await asked(f"http://127.0.0.1:{settings.health_port}/livez")

    assert (alive.status_code, asked_for) == (200, [])


async def test_a_port_that_is_taken_stops_the_start_with_a_sentence(deployment: Deployment) -> None:
    settings = deployment.settings.model_copy(update={"health_port": free_port()})

    with (
        a_loop() as loop,
        health.answering(settings, loop),
        pytest.raises(StartRefused) as refused,
        health.answering(settings, loop),
    ):
        pass

    assert str(refused.value) == (
        f"Cannot listen on 127.0.0.1:{settings.health_port} (Address already in use): "
        "set TIELINE_HEALTH_PORT to a free one."
    )


async def test_a_redis_that_answers_but_takes_nothing_is_told_of(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_long(monkeypatch, *BELLS)
    with (
        running_redis(deployment, tmp_path) as own,
        own.client() as client,
        closing(Doorbell(make_broker(own.settings))) as bell,
    ):
        before = await bell.fault()
        client.config_set("maxmemory", "1")
        full = await bell.fault()
        client.config_set("maxmemory", "0")
        client.replicaof("127.0.0.1", free_port())
        refused = await bell.fault()
        client.replicaof("NO", "ONE")
        back = await bell.fault()
        own.kill()
        away = await bell.fault()

    assert (before, back) == (None, None)
    assert full == "full: jobs wait until Redis has memory again"
    assert refused == "refused: jobs wait until Redis takes what is written"
    assert away == "away: jobs wait until Redis is back"


async def test_a_gateway_counts_the_subscriptions_under_way_and_how_late_their_events_are(
    deployment: Deployment, firm: Firm
) -> None:
    client_id, start = await firm.admin.create_client("Acme"), await cursor_of(firm.admin)
    with serving(deployment) as alone:  # at another, those that have just left may be counted yet

        async def are_open(count: int) -> bool:
            return count == await figure(alone.url, "tieline_subscriptions_open", name="connectionEvents")

        async with listening(alone, firm.admin, start) as listener:
            await until(lambda: are_open(1), "the subscription is counted")
            await rename(firm.admin, client_id, "Acme & Co.")
            await listener.next()
            sent = await figure(alone.url, "tieline_event_lag_seconds_count")
        await until(lambda: are_open(0), "it is not counted any more")

    assert sent == 1


async def test_a_gateway_tells_how_long_a_transaction_holds_the_feed_back(
    gateway: Gateway,
    opened: Deployment,  # noqa: ARG001 - must be open
) -> None:
    async with system_scope() as scope:
        await scope.value("SELECT pg_current_xact_id()::text")
        open_for = await scope.value("SELECT extract(epoch FROM clock_timestamp() - now())::float8")
        held_back = await figure(gateway.url, "tieline_feed_held_back_seconds")

    assert held_back is not None
    assert held_back > open_for > 0
