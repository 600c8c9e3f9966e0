"""The gate that each call of a session passes: it waits for the quota, and hears what the answer says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tieline.errors import QuotaSpent
from tieline.plugins.faults import Throttled
from tieline.plugins.limits import Remaining

_UNSAID = timedelta(minutes=1)


class Passage(Protocol):
    """One call on its way."""

    def answered(self, remaining: Sequence[Remaining], throttled: Throttled | None) -> None:
        """What the answer said of limits; without it, the call counts as one that nobody answered."""
        ...


class Gate(Protocol):
    """Entering `call` waits for a place among the limits, leaving it gives back what was in flight.

    A wait longer than the gate's patience is not begun. Raises QuotaSpent.
    """

    def call(self, organisation: str | None) -> AbstractAsyncContextManager[Passage]: ...


@dataclass(slots=True)
class _Unmetered:
    throttled: Throttled | None = None

    def answered(self, remaining: Sequence[Remaining], throttled: Throttled | None) -> None:  # noqa: ARG002
        self.throttled = throttled


class FreeGate:
    """No limits, until the provider names one: then nothing passes before the wait it asked for is over.

    For tests and tools; it knows of its own calls only, and never sleeps.
    """

    def __init__(self, provider: str, now: Callable[[], datetime]) -> None:
        self._provider = provider
        self._now = now
        self._closed: tuple[str, datetime] | None = None

    @asynccontextmanager
    async def call(self, organisation: str | None) -> AsyncIterator[Passage]:  # noqa: ARG002 - one for all
        if self._closed is not None and self._closed[1] > self._now():
            raise QuotaSpent(self._provider, limit=self._closed[0], resume_at=self._closed[1])
        passage = _Unmetered()
        yield passage
        if passage.throttled is not None:
            wait = _UNSAID if passage.throttled.retry_after is None else passage.throttled.retry_after
            self._closed = passage.throttled.limit, self._now() + wait
