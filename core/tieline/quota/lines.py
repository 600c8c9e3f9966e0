"""Lines of waiting callers in this process: the first one asks and waits, those behind it stay in their order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tieline.quota.calls import Meter
from tieline.quota.script import Wait
from tieline.work.actor import Lane

_FIRST_LOOK, _LAST_LOOK = 0.02, 0.25
_MOST_JITTER = 0.25


@dataclass(slots=True)
class Line:
    """`refusal` is what its first caller was told last."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: Wait | None = None
    looks: int = 0
    callers: int = 0

    def refused(self, wait: Wait | None) -> None:
        """What its first caller was told, or that it got through."""
        self.refusal = wait
        if wait is None or not wait.soon:
            self.looks = 0

    def pause(self, wait: Wait) -> float:
        """Seconds until asking again makes sense, spread so that processes do not ask all at once."""
        spread = random.random()  # noqa: S311 - spreads callers, hides nothing
        if wait.soon:
            self.looks += 1
            return float(min(_FIRST_LOOK * 2**self.looks, _LAST_LOOK) * (0.5 + spread / 2))
        return wait.seconds + 0.002 + spread * min(_MOST_JITTER, wait.seconds / 20)

    async def sleep(self, seconds: float, *, soon: bool) -> None:
        """Sleep; a place that this process has given back since `freed` was cleared ends a sleep for just that."""
        if not soon:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self.freed.wait()
        except TimeoutError:
            return


class Lines:
    """A line for each organisation and lane while somebody stands in it."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Meter, str | None, Lane], Line] = {}

    @asynccontextmanager
    async def stand(self, meter: Meter, organisation: str | None, lane: Lane) -> AsyncIterator[Line]:
        key = meter, organisation, lane
        line = self._lines.setdefault(key, Line())
        line.callers += 1
        try:
            yield line
        finally:
            line.callers -= 1
            if line.callers == 0:
                del self._lines[key]

    def freed(self, meter: Meter, organisation: str | None) -> None:
        """A place may be free for these."""
        for lane in Lane:
            line = self._lines.get((meter, organisation, lane))
            if line is not None:
                line.freed.set()
