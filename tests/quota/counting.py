"""A server that counts like a provider: half of its organisations in fixed windows, half in sliding ones.

One line in, `organisation instant`, when a place was asked for, by the machine's monotonic clock. One line out, JSON:
whether it was refused, by which limit, and what is left.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

MINUTE_SECONDS = 3.0
MINUTE, CONCURRENT, DAY = 24, 5, 5_000
LATEST_SECONDS = MINUTE_SECONDS / 2
"""A call that takes longer to arrive may be counted when nobody expects it any more."""
_LATENCY = (0.01, 0.12)


@dataclass
class Counted:
    """One organisation. `windows` are the calls that were served in each window that a call began."""

    slides: bool
    blocked_until: float = 0.0
    windows: list[int] = field(default_factory=list)
    began: float = -MINUTE_SECONDS
    recent: deque[float] = field(default_factory=deque)
    in_flight: int = 0
    most_in_flight: int = 0
    served: int = 0
    day_left: int = DAY
    asked_while_blocked: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def refusal(self, at: float) -> tuple[str, float] | None:
        """The limit that is spent and for how long; nothing is counted then."""
        self._turn(at)
        if at < self.blocked_until:
            self.asked_while_blocked += 1
            return "day", self.blocked_until - at
        if self.in_flight >= CONCURRENT:
            return "concurrent", 0
        if self.used() >= MINUTE:
            return "minute", (self.recent[0] if self.slides else self.began) + MINUTE_SECONDS - at
        return None

    def serve(self, at: float) -> None:
        self.windows[-1] += 1
        self.recent.append(at)
        self.served += 1
        self.day_left -= 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def used(self) -> int:
        return len(self.recent) if self.slides else self.windows[-1]

    def _turn(self, at: float) -> None:
        while self.recent and self.recent[0] <= at - MINUTE_SECONDS:
            self.recent.popleft()
        if at >= self.began + MINUTE_SECONDS:
            self.began = at
            self.windows.append(0)


@dataclass
class Counting:
    """The server: `organisations` by id. `late` are the calls that came too late to be counted on."""

    port: int
    organisations: dict[str, Counted]
    late: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while line := await reader.readline():
                organisation, asked = line.decode().split()
                writer.write(json.dumps(await self._one(organisation, float(asked))).encode() + b"\n")
        writer.close()

    async def _one(self, name: str, asked: float) -> dict[str, object]:
        one, at = self.organisations[name], time.monotonic()
        self.late += at - asked > LATEST_SECONDS
        refusal = one.refusal(at)
        if refusal is not None:
            one.refused[refusal[0]] += 1
            return {"limit": refusal[0], "wait": refusal[1]}
        one.serve(at)
        told = {"minute": MINUTE - one.used(), "day": one.day_left}
        await asyncio.sleep(random.uniform(*_LATENCY))  # noqa: S311 - how long an answer takes
        one.in_flight -= 1
        return {"left": told}

    def refused(self) -> int:
        return sum(one.refused.total() for one in self.organisations.values())

    def served(self) -> int:
        return sum(one.served for one in self.organisations.values())


@asynccontextmanager
async def counting(organisations: int) -> AsyncIterator[Counting]:
    """A server until the block ends; organisations are called `0`, `1` and so on."""
    made = Counting(port=0, organisations={str(n): Counted(slides=n % 2 == 1) for n in range(organisations)})
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
