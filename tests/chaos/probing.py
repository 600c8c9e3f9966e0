"""How long the event loop of a gateway gave nobody a turn without a pause, seen from within and read by a test outside.

In the gateway a task sleeps for a millisecond again and again. From one waking to the next it takes how much time went
by, less the sleep and what the threads of the process waited for a processor, which the machine gave to others: a loop
that sleeps, or waits for a lock or an answer, is counted. It also takes how much processor time the process used: a
thread that keeps the interpreter to itself is counted. Of either the host of a virtual machine may have taken a part
for others, and that is not counted. For the longer of the two nobody else had a turn.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from tests.support.polling import until
from tieline_gateway.serve import collect_little_at_a_time

FILE = "CHAOS_PROBE"
_SLEEP_SECONDS = 0.001
_THREADS = Path("/proc/self/task")
_OWN = Path("/proc/thread-self/stat")
_PROCESSORS = Path("/proc/stat")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_SEEN = struct.Struct("dQ")
_tasks: list[asyncio.Task[None]] = []


def probed() -> None:
    """From the moment on that this process serves; the file of the environment's name is written to."""

    def begin() -> None:
        collect_little_at_a_time()
        _tasks.append(asyncio.create_task(_probe(Path(os.environ[FILE]))))

    patch("tieline_gateway.serve.collect_little_at_a_time", begin).start()


async def _probe(file: Path) -> None:
    with _mapped(file) as memory:
        clock = Clock()
        while True:
            clock.start()
            await asyncio.sleep(_SLEEP_SECONDS)
            busy = clock.busy()
            worst, wakings = _SEEN.unpack(memory[:])
            memory[:] = _SEEN.pack(max(worst, busy), wakings + 1)


class Clock:
    """From one waking to the next."""

    def start(self) -> None:
        self._delays, self._stolen, self._own = _delays(), _stolen(), _processor()
        self._used, self._at = time.process_time(), time.perf_counter()

    def busy(self) -> float:
        gone, used = time.perf_counter() - self._at, time.process_time() - self._used
        delayed = sum(delay - self._delays.get(thread, 0) for thread, delay in _delays().items())
        after = _stolen()
        stolen = max(after[one] - self._stolen[one] for one in (self._own, _processor()))
        return max(used, gone - _SLEEP_SECONDS - delayed / 1e9) - stolen


def _processor() -> str:
    """The one that this thread is on, as `_stolen` names it."""
    return "cpu" + _OWN.read_text().rpartition(")")[2].split()[36]


def _stolen() -> dict[str, float]:
    """For how many seconds the host gave each processor to others; in ticks, so of the shortest it knows nothing."""
    lines = (line.split() for line in _PROCESSORS.read_text().splitlines() if line.startswith("cpu"))
    return {name: int(figures[7]) * _TICK for name, *figures in lines}


def _delays() -> dict[str, int]:
    """For how many nanoseconds each thread of this process was ready to run and had no processor."""
    delays = {}
    for thread in _THREADS.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it may end in this moment
            _ran, waited, _times = (thread / "schedstat").read_text().split()
            delays[thread.name] = int(waited)
    return delays


@dataclass(frozen=True)
class Probe:
    """A test's side of it."""

    file: Path
    _memory: mmap.mmap = field(repr=False)

    async def worst(self) -> float:
        """The longest in seconds since this was last asked, once what is under way has been counted."""
        _, before = _SEEN.unpack(self._memory[:])

        async def counted() -> bool:
            wakings: int = _SEEN.unpack(self._memory[:])[1]
            return bool(wakings > before + 1)

        await until(counted, "the probe in the gateway wakes")
        worst, wakings = _SEEN.unpack(self._memory[:])
        self._memory[:] = _SEEN.pack(0.0, wakings)
        return float(worst)


@contextmanager
def probing(folder: Path) -> Iterator[Probe]:
    file = folder / "probe"
    file.write_bytes(_SEEN.pack(0.0, 0))
    with _mapped(file) as memory:
        yield Probe(file, memory)


@contextmanager
def _mapped(file: Path) -> Iterator[mmap.mmap]:
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), _SEEN.size) as memory:
        yield memory
