"""How long the event loop of a gateway was busy without a pause, seen from within and read by a test outside.

In the gateway a task sleeps for a millisecond again and again, and compares how much processor time the process has
used from one waking to the next. Nothing else had its turn meanwhile. A wall clock would count what the machine does
besides; a thread that keeps the interpreter to itself is counted.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from tests.support.polling import until
from tieline_gateway.serve import collect_little_at_a_time

FILE = "CHAOS_PROBE"
_SLEEP_SECONDS = 0.001
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
        while True:
            before = time.process_time()
            await asyncio.sleep(_SLEEP_SECONDS)
            busy = time.process_time() - before
            worst, wakings = _SEEN.unpack(memory[:])
            memory[:] = _SEEN.pack(max(worst, busy), wakings + 1)


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
