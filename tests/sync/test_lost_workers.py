"""A plugin that takes its workers along: each is lost within bounds, and after five the run says so."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import pytest

from tests.support.deployment import Deployment, Process
from tests.support.forked import Forked
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.sync.scripted import Reading, Script, page
from tieline import draining, watchdog
from tieline.plugins import Feed, Page, Registry, Session
from tieline.sync import slices
from tieline.sync.runs import RunState
from tieline.work.doorbell import Doorbell, make_broker
from tieline.worker import process

_LEFT: set[asyncio.Task[None]] = set()
OWN_CODE = 7
HELD_UP = "nobody gets by"


async def block() -> None:
    time.sleep(3600)  # noqa: ASYNC251 - that is the fault


async def block_the_interpreter() -> None:
    re.fullmatch(r"(a+)+b", "a" * 60)


async def hold_up() -> None:
    sys.stderr.write(HELD_UP)
    sys.stderr.flush()
    time.sleep(3600)  # noqa: ASYNC251 - that is the fault


async def leave() -> None:
    os._exit(OWN_CODE)


async def interrupt() -> None:
    raise KeyboardInterrupt


async def end_the_loop() -> None:
    _LEFT.add(asyncio.create_task(interrupt()))
    await asyncio.Event().wait()


class Taking(Script):
    """What it does instead of a page takes its process along."""

    def __init__(self, fault: Callable[[], object]) -> None:
        super().__init__()
        self.fault = fault

    async def pull(self, _session: Session, _feed: Feed, _cursor: str | None) -> AsyncIterator[Page]:
        await self.fault()  # type: ignore[misc]
        yield page()


def _taking(fault: Callable[[], object]) -> None:
    """This process has that plugin alone, and less patience. It has loaded what it works with.

    The last resort stays where it is: it counts the seconds in which the process stood still, too.
    """
    assert slices is not None
    patch.object(watchdog, "PATIENCE", timedelta(seconds=2)).start()
    patch("tieline.plugins.load", lambda _allowed: Registry.of(Taking(fault))).start()


def blocking() -> None:
    _taking(block)


def blocking_the_interpreter() -> None:
    _taking(block_the_interpreter)


def leaving() -> None:
    _taking(leave)


def ending_the_loop() -> None:
    _taking(end_the_loop)


def holding_up() -> None:
    _taking(hold_up)
    patch.object(watchdog, "PATIENCE", timedelta(hours=1)).start()
    patch.object(process, "DRAIN_SECONDS", 0.1).start()
    patch.object(draining, "END_SECONDS", 0.5).start()


@contextmanager
def begun(deployment: Deployment, prepare: Callable[[], None]) -> Iterator[Process]:
    """A worker with that plugin, until the block ends."""
    log = deployment.logs / f"lost-{time.monotonic_ns()}.log"
    log.touch()
    forked = Forked(["worker"], deployment.environment, said=log, output=log, errors=log, prepare=prepare)
    try:
        yield Process(popen=forked, log=log)
    finally:
        forked.kill()


@pytest.mark.parametrize(("prepare", "code"), [(blocking, watchdog.STUCK), (leaving, OWN_CODE)])
async def test_a_plugin_that_takes_five_workers_along_fails_its_run(
    deployment: Deployment, jobs: JobTable, client: Reading, prepare: Callable[[], None], code: int
) -> None:
    lost: dict[int, int | None] = {}

    async def is_over() -> bool:
        return not (await client.run()).state.is_live

    async def ended() -> bool:
        return worker.popen.poll() is not None or await is_over()

    while not await is_over():
        with begun(deployment, prepare) as worker:
            await Doorbell(make_broker(deployment.settings)).call()
            await until(ended, "the worker or the run has ended")
            if await is_over():
                assert worker.stop() == 0, worker.logged()
            else:
                lost[(await jobs.one(str(client.first)))["attempts"]] = worker.popen.returncode
        await jobs.lapse()

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message == (
        "The work broke off 5 times before a page of the plugin pretend was stored: the worker's log says why."
    )
    assert lost == dict.fromkeys(range(1, 6), code)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (blocking, ["worker.stuck", "test_lost_workers.py", " block"]),
        (blocking_the_interpreter, ["Timeout (", "test_lost_workers.py"]),
        (ending_the_loop, ["worker.stuck"]),
    ],
)
async def test_a_worker_whose_loop_stands_still_ends_itself_and_says_where_it_stood(
    deployment: Deployment,
    jobs: JobTable,
    client: Reading,
    prepare: Callable[[], None],
    said: list[str],
) -> None:
    with begun(deployment, prepare) as worker:
        code = await asyncio.to_thread(worker.popen.wait, 45)

        assert code == watchdog.STUCK
        assert [text for text in said if text not in worker.logged()] == []
        assert (await client.run()).state is RunState.RUNNING
        assert (await jobs.one(str(client.first)))["attempts"] == 1


async def test_a_worker_that_is_told_to_stop_is_over_in_bounded_time_whatever_holds_it_up(
    deployment: Deployment,
    jobs: JobTable,  # noqa: ARG001 - no other jobs
    client: Reading,  # noqa: ARG001 - whose run is the job
) -> None:
    with begun(deployment, holding_up) as worker:
        await asyncio.to_thread(worker.wait_for, HELD_UP)

        assert await asyncio.to_thread(worker.stop) == draining.OVERDUE
        assert "worker.not_drained" in worker.logged()
