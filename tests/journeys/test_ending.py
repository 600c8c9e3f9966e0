"""How processes end: told to, they drain in bounded time; stuck, they end themselves and say where they stood."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import asyncpg
import httpx
import pytest

from tests.support.deployment import Deployment, Gateway, Process, serving, wait_until_ready
from tests.support.forked import Forked
from tests.support.polling import WAIT_SECONDS, until
from tests.support.ports import free_port
from tests.support.sockets import socket_to
from tests.support.source import ROOT
from tieline import draining, watchdog
from tieline.cli.children import STEADY_SECONDS, Child, Family
from tieline.database import engine
from tieline.live.client import CLOSE_SECONDS
from tieline.worker import scheduler
from tieline_gateway import serve


async def block(*_: object) -> int:
    time.sleep(3600)  # noqa: ASYNC251 - that is the fault
    return 0


def impatient() -> None:
    patch.multiple(watchdog, PATIENCE=timedelta(seconds=5), LAST_RESORT=timedelta(seconds=30)).start()


def blocking_gateway() -> None:
    impatient()
    patch("tieline_gateway.app.root", block).start()


def blocking_scheduler() -> None:
    impatient()
    patch.object(scheduler, "ring_for_due", block).start()


def held_up_gateway() -> None:
    """Something that nobody can end keeps the process alive."""
    patch.object(draining, "END_SECONDS", 0.5).start()
    threading.Thread(target=time.sleep, args=(3600,)).start()


@contextmanager
def begun(
    deployment: Deployment, command: str, prepare: Callable[[], None], **more: str
) -> Iterator[Process]:
    log = deployment.logs / f"{command}-{time.monotonic_ns()}.log"
    log.touch()
    environment = deployment.environment | more
    forked = Forked([command], environment, said=log, output=log, errors=log, prepare=prepare)
    try:
        yield Process(popen=forked, log=log)
    finally:
        forked.kill()


@contextmanager
def gateway_of(deployment: Deployment, prepare: Callable[[], None]) -> Iterator[Gateway]:
    port = free_port()
    with begun(deployment, "serve", prepare, TIELINE_PORT=str(port)) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process)
        yield Gateway(url=url, process=process)


def child_of(deployment: Deployment, folder: Path, port: int) -> Child:
    """A gateway as `tieline up` starts one, whose loop whoever opens its address blocks."""
    fault = "from tests.journeys.test_ending import blocking_gateway\nblocking_gateway()\n"
    (folder / "sitecustomize.py").write_text(fault)  # Python reads it before anything of ours
    more = {"TIELINE_PORT": str(port), "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    return Child(arguments=["serve"], environment=deployment.environment | more, log=folder / "serve.log")


def test_a_gateway_whose_loop_stands_still_ends_itself_says_where_it_stood_and_is_replaced(
    deployment: Deployment, tmp_path: Path
) -> None:
    port = free_port()
    url, child = f"http://127.0.0.1:{port}", child_of(deployment, tmp_path, port)
    with Family() as family:
        family.start(child)
        family.wait_for(f"{url}/readyz")
        stuck = child.process
        assert stuck is not None
        healthy = family.tend()

        with pytest.raises(httpx.TransportError):
            httpx.get(url, timeout=45)
        code = stuck.wait(45)
        too_soon = began_now(child, family)
        child.began -= STEADY_SECONDS
        replaced = family.tend()
        family.wait_for(f"{url}/readyz")

        assert code == watchdog.STUCK
        said = ["gateway.stuck", "test_ending.py", " block"]
        assert [text for text in said if text not in child.log.read_text()] == []
        assert (healthy, too_soon, replaced) == ([], [], [child])
        assert child.process is not stuck
        assert family.tend() == []


def began_now(child: Child, family: Family) -> list[Child]:
    """Who would be started again of those that ended as soon as they had begun: a fault that stays is not spun on."""
    child.began = time.monotonic()
    return family.tend()


async def test_a_scheduler_whose_loop_stands_still_ends_itself_and_says_where_it_stood(
    deployment: Deployment,
) -> None:
    with begun(deployment, "scheduler", blocking_scheduler) as stuck:
        code = await asyncio.to_thread(stuck.popen.wait, 45)

        assert code == watchdog.STUCK
        said = ["scheduler.stuck", "test_ending.py", " block"]
        assert [text for text in said if text not in stuck.logged()] == []


async def test_a_gateway_that_is_told_to_stop_is_over_in_bounded_time_whatever_holds_it_up(
    deployment: Deployment,
) -> None:
    with gateway_of(deployment, held_up_gateway) as held_up:
        code = await asyncio.to_thread(held_up.process.stop)

        assert code == draining.OVERDUE
        assert "gateway.not_drained" in held_up.process.logged()


async def test_a_gateway_with_a_delay_says_that_it_drains_and_still_answers_until_it_is_told_again(
    deployment: Deployment,
) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        with serving(deployment, TIELINE_DRAIN_DELAY="300") as leaving:
            leaving.process.popen.send_signal(signal.SIGTERM)

            async def is_draining() -> bool:
                return (await http.get(f"{leaving.url}/readyz")).status_code == 503

            await until(is_draining, "the gateway says that it drains")
            report = (await http.get(f"{leaving.url}/readyz")).json()
            alive = await asyncio.to_thread(
                lambda: [httpx.get(f"{leaving.url}/livez", timeout=30).status_code for _ in range(100)]
            )
            async with socket_to(leaving.socket):
                pass
            code = await asyncio.to_thread(leaving.process.stop)

    assert report == {"ready": False, "draining": True}
    assert alive == [200] * 100, "each by a connection of its own"
    assert code == 0


@pytest.mark.parametrize("close_seconds", [2.0, 3_600.0], ids=["waited for", "cancelled"])
async def test_a_process_that_ends_cuts_connections_that_somebody_still_holds_of_both_pools_at_once(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, close_seconds: float
) -> None:
    monkeypatch.setattr(engine, "CLOSE_SECONDS", close_seconds)
    client = engine.ScopedClient(connection_name="own")
    client._pool = await asyncpg.create_pool(deployment.admin_url, min_size=1, max_size=1)
    client.beside = await asyncpg.create_pool(deployment.admin_url, min_size=0, max_size=1)
    pools = [client._pool, client.beside]
    held = [await pool.acquire() for pool in pools]

    async def are_closing() -> bool:
        return all(pool.is_closing() for pool in pools)

    closing = asyncio.create_task(client.close())
    await until(are_closing, "both are being closed, and where that takes an hour not one after the other")
    if close_seconds > WAIT_SECONDS:
        closing.cancel()
    done, _ = await asyncio.wait({closing}, timeout=WAIT_SECONDS)

    assert done
    for connection in held:
        with pytest.raises(asyncpg.InterfaceError):
            await connection.fetchval("SELECT 1")


def test_a_process_is_over_before_its_supervisor_kills_it() -> None:
    redis = 4 * CLOSE_SECONDS  # rates, hints to tell and to hear, quota: one after the other

    assert serve.DRAIN_SECONDS + redis + engine.CLOSE_SECONDS < draining.END_SECONDS < 15


@pytest.mark.parametrize("command", ["scheduler", "worker"])
async def test_who_stood_stopped_while_told_to_end_does_so_once_going_on(
    deployment: Deployment, command: str
) -> None:
    """The signal may come to any thread then."""
    process = deployment.start(command)
    try:
        await asyncio.to_thread(process.wait_for, f"{command}.started")
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            process.popen.send_signal(number)
        code = await asyncio.to_thread(process.popen.wait, WAIT_SECONDS)
    finally:
        process.kill()

    assert code == 0
    assert f"{command}.stopped" in process.logged()
