"""What runs inside `tieline worker` and `tieline scheduler`: start, serve until a signal, drain, stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from uuid import UUID

import dramatiq
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.logging import get_logger as get_library_logger
from dramatiq.middleware import AgeLimit

from tieline import draining
from tieline.errors import StartRefused
from tieline.ids import JobId
from tieline.lifespan import ready
from tieline.live.client import AWAY
from tieline.log import get_logger
from tieline.processes import name_of
from tieline.settings import Settings
from tieline.watchdog import OwnLoop, watching
from tieline.work.actor import BACKGROUND, INTERACTIVE
from tieline.work.doorbell import CALL, MAX_AGE_MS, RING, make_broker
from tieline.worker.broker import PatientBroker
from tieline.worker.health import answering
from tieline.worker.roster import ACTORS, ensure_recurring
from tieline.worker.runner import Runner
from tieline.worker.scheduler import run_scheduler

DRAIN_SECONDS = 6.0
_LEAVE_SECONDS = 2.0
_PATIENCE_SECONDS = 30.0
_SPARE_CONNECTIONS = 2  # so that leases are renewed while every thread holds a connection
_FIRST = 0  # of the messages that a process has fetched, those of the lowest priority are taken first
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = get_logger(__name__)


async def scheduler_process(settings: Settings) -> None:
    """Run a scheduler until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, _told_to_stop, stop)
    with watching("scheduler", OwnLoop.running(), running=lambda: 0):
        async with ready(settings, name=name_of("scheduler")) as bell:
            with answering(settings, asyncio.get_running_loop()):
                await ensure_recurring(settings)
                log.info("scheduler.started")
                await run_scheduler(bell, interval=settings.scheduler_interval, stop=stop)
    log.info("scheduler.stopped")


def _told_to_stop(stop: asyncio.Event) -> None:
    draining.begin("scheduler", seconds=draining.END_SECONDS)
    stop.set()


def worker_process(settings: Settings, *, queues: Sequence[str]) -> None:
    """Run jobs from these queues until SIGTERM or SIGINT; what is under way may finish, bounded in time.

    Raises StartRefused.
    """
    if settings.database_pool_size < settings.worker_threads + _SPARE_CONNECTIONS:
        raise StartRefused(
            f"{settings.worker_threads} worker threads and their leases need a pool of "
            f"{settings.worker_threads + _SPARE_CONNECTIONS} connections: raise TIELINE_DATABASE_POOL_SIZE "
            "or lower TIELINE_WORKER_THREADS."
        )
    stop = threading.Event()
    runner = Runner(ACTORS)
    with (
        _set_by_signals(stop) as wait_for_signal,
        _loop() as loop,
        watching("worker", loop, running=lambda: runner.running),
    ):
        opened = ready(settings, name=name_of("worker", queues))
        loop.run_coroutine(opened.__aenter__())
        try:
            with answering(settings, loop.loop):
                worker = start_worker(settings, runner, queues, stop=stop)
                log.info("worker.started", queues=list(queues))
                wait_for_signal()
                draining.begin("worker", seconds=draining.END_SECONDS)
                log.info("worker.draining", running=runner.running)
                _drain(worker, runner, loop)
        finally:
            loop.run_coroutine(opened.__aexit__(None, None, None))
    log.info("worker.stopped")


@contextmanager
def _set_by_signals(stop: threading.Event) -> Iterator[Callable[[], None]]:
    """What it gives blocks the main thread until one has come.

    The kernel may give a signal to any thread, as it does when the process stood stopped meanwhile. Only the main one
    runs the handler, and asleep at the event itself it would never know of it.
    """
    told, telling = socket.socketpair()
    with told, telling:
        telling.setblocking(False)
        signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: stop.set())

        def wait() -> None:
            while not stop.is_set():
                told.recv(1)

        try:
            yield wait
        finally:
            signal.set_wakeup_fd(-1)


def _drain(worker: dramatiq.Worker, runner: Runner, loop: EventLoopThread) -> None:
    """Let what is under way end, and hand back what does not in time, whether Redis answers meanwhile or not."""
    stopping = threading.Thread(target=_stop, args=(worker,), name="stopping", daemon=True)
    stopping.start()
    stopping.join(DRAIN_SECONDS)
    loop.run_coroutine(runner.hand_back())
    stopping.join(_LEAVE_SECONDS)


def _stop(worker: dramatiq.Worker) -> None:
    """Messages that it has fetched go back to Redis; where that is away, their jobs are rung for again."""
    with suppress(*AWAY):
        worker.stop(timeout=int(DRAIN_SECONDS * 1000))
        worker.broker.close()


def start_worker(
    settings: Settings, runner: Runner, queues: Sequence[str], *, stop: threading.Event
) -> dramatiq.Worker:
    """Hear rings and calls. Once told to stop, whoever runs jobs begins no further one."""
    broker = make_broker(
        settings,
        [AgeLimit(max_age=MAX_AGE_MS)],
        answer_seconds=_PATIENCE_SECONDS,
        name=name_of("worker", queues),
        kind=PatientBroker,
    )
    worker = dramatiq.Worker(
        broker, queues=set(queues), worker_threads=settings.worker_threads, worker_timeout=500
    )

    async def run_job(job_id: str) -> None:
        await runner.run(JobId(UUID(job_id)))

    async def run_next() -> None:
        await runner.run_next(urged=lambda: stop.is_set() or _somebody_waits(worker))

    declare = partial(dramatiq.actor, broker=broker)
    declare(run_job, actor_name=RING, queue_name=INTERACTIVE, priority=_FIRST)
    declare(run_next, actor_name=CALL, queue_name=BACKGROUND, priority=_FIRST + 1)
    worker.start()
    return worker


def _somebody_waits(worker: dramatiq.Worker) -> bool:
    """Whether this process has fetched a ring that no thread of it has taken yet: they stand before all calls."""
    return any(head.priority == _FIRST for head in worker.work_queue.queue[:1])


@contextmanager
def _loop() -> Iterator[EventLoopThread]:
    """The one event loop that all actors of this process run on; the database lives on it too."""
    library_log = get_library_logger(__name__, EventLoopThread)
    library_log.setLevel(logging.WARNING)  # that its thread runs is nothing to tell anybody
    loop = EventLoopThread(library_log)
    loop.start(timeout=5.0)
    set_event_loop_thread(loop)
    try:
        yield loop
    finally:
        set_event_loop_thread(None)
        loop.stop()
