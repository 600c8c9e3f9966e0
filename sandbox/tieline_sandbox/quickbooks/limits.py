"""Intuit's limits: per company and app calls at once and a second, per company a minute, per app a month of reads.
Batches have a minute of their own, per company and app as well as per company.

https://developer.intuit.com/app/developer/qbo/docs/learn/limits-and-throttles — the windows are fixed ones, begun
by the first call; a call that is refused is not counted, and a read is metered when it went well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tieline_sandbox.answers import Answer
from tieline_sandbox.quickbooks.faults import throttled
from tieline_sandbox.windows import Counts, Window

Over = Literal["concurrent", "second", "minute", "batch", "batch_company", "month"]
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """None switches a limit off. `retry_after` is the header of a refusal in seconds; None sends none."""

    concurrent: int | None = 10
    second: int | None = 10
    minute: int | None = 500
    batch: int | None = 40
    batch_company: int | None = 120
    month: int | None = 500_000
    retry_after: int | None = None


@dataclass(kw_only=True)
class Meter:
    """Metered reads of one app in one month of the calendar."""

    month: tuple[int, int]
    used: int = 0


class Limiter:
    """Counts every call in a company, and refuses those over a limit."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.counts: dict[str, Counts] = {}
        self.meters: dict[str, Meter] = {}
        self._windows: dict[tuple[Over, str, str], Window] = {}
        self._in_flight: Counter[tuple[str, str]] = Counter()

    def reset(self) -> None:
        """Forget all windows and figures, and go back to Intuit's own limits; calls in flight stay counted."""
        self.limits = Limits()
        self.counts.clear()
        self.meters.clear()
        self._windows.clear()

    def leave(self, client_id: str, remaining: int | None, now: datetime) -> None:
        """The app's month goes on with so many reads left; None begins it anew."""
        used = 0 if remaining is None or self.limits.month is None else max(0, self.limits.month - remaining)
        self._meter(client_id, now).used = used

    def metered(self, client_id: str, reads: int, now: datetime) -> None:
        """Reads that went well; each of a batch is one."""
        self._meter(client_id, now).used += reads

    @contextmanager
    def place(
        self, client_id: str, realm_id: str, now: datetime, *, is_batch: bool = False
    ) -> Iterator[Answer | None]:
        """A place for one call while the block runs, or the refusal."""
        counts = self.counts.setdefault(realm_id, Counts())
        with counts.one_more():
            windows = self._windows_of(client_id, realm_id, now, is_batch=is_batch)
            over = self._over(client_id, realm_id, windows, now)
            if over:
                counts.throttled[over] += 1
                yield throttled(self.limits.retry_after, now)
                return
            self._in_flight[client_id, realm_id] += 1
            for window in windows.values():
                window.used += 1
            try:
                yield None
            finally:
                self._in_flight[client_id, realm_id] -= 1

    def _over(self, client_id: str, realm_id: str, windows: dict[Over, Window], now: datetime) -> Over | None:
        used: dict[Over, int] = {
            "month": self._meter(client_id, now).used,
            "concurrent": self._in_flight[client_id, realm_id],
            **{name: window.used for name, window in windows.items()},
        }
        limits: dict[Over, int | None] = {name: getattr(self.limits, name) for name in used}
        return next(
            (name for name, limit in limits.items() if limit is not None and used[name] >= limit), None
        )

    def _windows_of(
        self, client_id: str, realm_id: str, now: datetime, *, is_batch: bool
    ) -> dict[Over, Window]:
        """Those that the call falls into."""
        found: dict[Over, Window] = {
            "second": self._window(("second", client_id, realm_id), _SECOND, now),
            "minute": self._window(("minute", "", realm_id), _MINUTE, now),
        }
        if is_batch:
            found["batch"] = self._window(("batch", client_id, realm_id), _MINUTE, now)
            found["batch_company"] = self._window(("batch_company", "", realm_id), _MINUTE, now)
        return found

    def _window(self, key: tuple[Over, str, str], length: timedelta, now: datetime) -> Window:
        found = self._windows.setdefault(key, Window(length=length, start=now))
        found.turn(now)
        return found

    def _meter(self, client_id: str, now: datetime) -> Meter:
        month = (now.year, now.month)
        found = self.meters.get(client_id)
        if found is None or found.month != month:
            found = self.meters[client_id] = Meter(month=month)
        return found
