"""Whether the event loop of a process still answers: what blocks it holds up all that the process has under way.

A thread asks the loop every moment. When it has not answered for as long as a lease runs, a worker's jobs are for
others to take, and a gateway's callers have gone elsewhere: the thread logs where the loop stands, without any value,
and ends the process, for its supervisor to start anew. Where not even this thread gets its turn, a timer of the
interpreter's ends the process.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, Protocol

from tieline import metrics
from tieline.log import get_logger
from tieline.work.repository import LEASE

STUCK = 1
"""The exit code of a process that ends itself."""
PATIENCE = LEASE
LAST_RESORT = timedelta(seconds=5)
_LOOKS = 20  # counted, not timed: while the machine slept, nobody was stuck
_FRAMES = 12

log = get_logger(__name__)


class Watched(Protocol):
    """A loop, and the thread that it runs on."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def ident(self) -> int | None: ...

    def is_alive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """The loop that runs on the thread which made this."""

    loop: asyncio.AbstractEventLoop
    ident: int | None

    @classmethod
    def running(cls) -> OwnLoop:
        return cls(asyncio.get_running_loop(), threading.get_ident())

    def is_alive(self) -> bool:
        return not self.loop.is_closed()


@contextmanager
def watching(process: str, watched: Watched, *, running: Callable[[], int]) -> Iterator[None]:
    """Look after the loop until the block ends; `running` says how much the process has under way."""
    watchdog = Watchdog(process, watched, running=running)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


class Watchdog:
    """Looks after one loop from `start` until `stop`; `process` is what it is called in the log."""

    def __init__(self, process: str, watched: Watched, *, running: Callable[[], int]) -> None:
        self._event = f"{process}.stuck"
        self._watched = watched
        self._running = running
        self._answered = threading.Event()
        self._over = threading.Event()
        self._look = PATIENCE.total_seconds() / _LOOKS
        self._last_resort = (PATIENCE + LAST_RESORT).total_seconds()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._over.set()
        faulthandler.cancel_dump_traceback_later()

    def _watch(self) -> None:
        missed = 0
        self._answered.set()
        while missed < _LOOKS:
            if self._answered.is_set():
                missed = 0
                self._answered.clear()
                self._ask()
            faulthandler.dump_traceback_later(self._last_resort, exit=True)
            if self._over.wait(self._look):
                faulthandler.cancel_dump_traceback_later()
                return
            missed += 1
        self._end()

    def _ask(self) -> None:
        if not self._watched.is_alive():
            self._end()
        try:
            self._watched.loop.call_soon_threadsafe(self._answer, time.perf_counter())
        except RuntimeError:  # it was closed this moment
            self._end()

    def _answer(self, asked_at: float) -> None:
        metrics.loop_lag.observe(time.perf_counter() - asked_at)
        self._answered.set()

    def _end(self) -> NoReturn:
        log.error(self._event, running=self._running(), at=self._frames())
        os._exit(STUCK)

    def _frames(self) -> list[str]:
        """Where the loop's thread stands, the innermost call first: places in code, no values."""
        frame = sys._current_frames().get(self._watched.ident or 0)  # noqa: SLF001 - there is no other way to see it
        walked = traceback.StackSummary.extract(
            traceback.walk_stack(frame), limit=_FRAMES, lookup_lines=False
        )
        return [f"{each.filename}:{each.lineno} {each.name}" for each in walked] if frame is not None else []
