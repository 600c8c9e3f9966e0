"""One scaled calendar for all processes of a proof: real time at a speed, in a file that each of them maps.

It never stands still and never goes back. The proof slows it down while the machine is busy with other things, so
that what is counted on it does not depend on the machine. Beside it stand what the processes note for each other.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

_HEAD = struct.Struct("=Qddd")  # even when whole; real seconds since, calendar seconds then, speed
_SLOT = struct.Struct("=d")
_SIZE, _SLOTS_AT, _EXCUSED_AT = 4_096, 1_024, 2_048
_LONGEST_NAP = 0.2


class Pace:
    """The calendar of the file at `path`; `lags` and `excused` are what processes tell."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)

    @classmethod
    def begin(cls, path: Path, *, speed: float) -> Pace:
        path.write_bytes(bytes(_SIZE))
        made, real = cls(path), time.time()
        made._write(real, real, speed)
        return made

    def now(self) -> datetime:
        since, base, speed = self.figures()
        return datetime.fromtimestamp(base + (time.time() - since) * speed, UTC)

    def figures(self) -> tuple[float, float, float]:
        """Since which real second, from which calendar second on, how fast."""
        while True:
            head = bytes(self._map[: _HEAD.size])
            sequence, *figures = _HEAD.unpack(head)
            if sequence % 2 == 0 and bytes(self._map[: _HEAD.size]) == head:
                return figures[0], figures[1], figures[2]

    @property
    def speed(self) -> float:
        return self.figures()[2]

    @speed.setter
    def speed(self, speed: float) -> None:
        since, base, before = self.figures()
        real = time.time()
        self._write(real, base + (real - since) * before, speed)

    def skip(self, seconds: float) -> None:
        """So much of the calendar is over at once."""
        since, base, speed = self.figures()
        self._write(since, base + seconds, speed)

    async def sleep(self, seconds: float) -> None:
        """Sleep by this calendar."""
        end = self.now().timestamp() + seconds
        while (left := end - self.now().timestamp()) > 0:  # noqa: ASYNC110 - no event tells of time
            await asyncio.sleep(min(left / self.speed, _LONGEST_NAP))

    def note_lag(self, process: int, seconds: float) -> None:
        _SLOT.pack_into(self._map, _SLOTS_AT + process * _SLOT.size, seconds)

    def lags(self, processes: int) -> Sequence[float]:
        slots = (_SLOTS_AT + number * _SLOT.size for number in range(processes))
        return [_SLOT.unpack_from(self._map, at)[0] for at in slots]

    def note_excused(self) -> None:
        """A call was refused because one came later than the quota counts on; only one process notes these."""
        _SLOT.pack_into(self._map, _EXCUSED_AT, self.excused + 1)

    @property
    def excused(self) -> int:
        return int(_SLOT.unpack_from(self._map, _EXCUSED_AT)[0])

    def _write(self, *figures: float) -> None:
        sequence = _HEAD.unpack_from(self._map)[0]
        _HEAD.pack_into(self._map, 0, sequence + 1, *figures)
        _HEAD.pack_into(self._map, 0, sequence + 2, *figures)
