"""Xero's limits: per app and organisation a minute, a day and calls at once; per app a minute over all.

https://developer.xero.com/documentation/guides/oauth2/limits — the windows are fixed ones, begun by the first
call; a call that is refused is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tieline_sandbox.answers import Answer
from tieline_sandbox.faults import Problem
from tieline_sandbox.windows import Counts, Window
from tieline_sandbox.xero.problems import throttled

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
_STARTER_DAY, _PAID_DAY = 1_000, 5_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """None switches a limit off; a day of `tier` is what the app's tier gives."""

    minute: int | None = 60
    concurrent: int | None = 5
    app_minute: int | None = 10_000
    day: int | Literal["tier"] | None = "tier"

    def day_of(self, tier: str) -> int | None:
        if self.day == "tier":
            return _STARTER_DAY if tier == "starter" else _PAID_DAY
        return self.day


class Limiter:
    """Counts every call in an organisation, and refuses those over a limit."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.counts: dict[str, Counts] = {}
        self._windows: dict[tuple[str, str, str], Window] = {}
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._presets: dict[str, int] = {}

    def reset(self) -> None:
        """Forget all windows and figures, and go back to Xero's own limits; calls in flight stay counted."""
        self.limits = Limits()
        self.counts.clear()
        self._windows.clear()
        self._presets.clear()

    def leave(self, tenant_id: str, remaining: int | None) -> None:
        """The organisation's day goes on, or starts, with so many calls left; None takes that back."""
        self._presets.pop(tenant_id, None)
        if remaining is not None:
            self._presets[tenant_id] = remaining
        for key in [key for key in self._windows if key[1:] == (tenant_id, "day")]:
            del self._windows[key]

    @contextmanager
    def place(self, client_id: str, tier: str, tenant_id: str, now: datetime) -> Iterator[Answer | None]:
        """A place for one call while the block runs, or the refusal."""
        counts = self.counts.setdefault(tenant_id, Counts())
        with counts.one_more():
            over = self._over(client_id, tier, tenant_id, now)
            if over:
                counts.throttled[over] += 1
                yield throttled(over, self._wait(over, client_id, tenant_id, now))
                return
            self._take(client_id, tier, tenant_id, now)
            try:
                yield None
            finally:
                self._in_flight[client_id, tenant_id] -= 1

    def remaining(self, client_id: str, tier: str, tenant_id: str | None, now: datetime) -> dict[str, str]:
        """The headers that say what is left; without a tenant only that of the app."""
        headers = {"X-AppMinLimit-Remaining": self._left("appminute", client_id, tier, "", now)}
        if tenant_id is not None:
            headers["X-MinLimit-Remaining"] = self._left("minute", client_id, tier, tenant_id, now)
            headers["X-DayLimit-Remaining"] = self._left("day", client_id, tier, tenant_id, now)
        return {name: str(left) for name, left in headers.items() if left is not None}

    def count_for_app(self, client_id: str, tier: str, now: datetime) -> None:
        """A call without a tenant spends the app's minute only."""
        self._window("appminute", client_id, tier, "", now).used += 1

    def _over(self, client_id: str, tier: str, tenant_id: str, now: datetime) -> Problem | None:
        concurrent = self.limits.concurrent
        if concurrent is not None and self._in_flight[client_id, tenant_id] >= concurrent:
            return "concurrent"
        windows: tuple[tuple[Problem, str], ...] = (
            ("day", tenant_id),
            ("minute", tenant_id),
            ("appminute", ""),
        )
        for problem, whose in windows:
            if self._left(problem, client_id, tier, whose, now) == 0:
                return problem
        return None

    def _take(self, client_id: str, tier: str, tenant_id: str, now: datetime) -> None:
        self._in_flight[client_id, tenant_id] += 1
        self._window("day", client_id, tier, tenant_id, now).used += 1
        self._window("minute", client_id, tier, tenant_id, now).used += 1
        self._window("appminute", client_id, tier, "", now).used += 1

    def _wait(self, problem: Problem, client_id: str, tenant_id: str, now: datetime) -> int | None:
        if problem == "concurrent":
            return None
        whose = "" if problem == "appminute" else tenant_id
        return self._windows[client_id, whose, problem].seconds_left(now)

    def _left(self, problem: Problem, client_id: str, tier: str, whose: str, now: datetime) -> int | None:
        limit = self._limit(problem, tier)
        return (
            None if limit is None else max(0, limit - self._window(problem, client_id, tier, whose, now).used)
        )

    def _limit(self, problem: Problem, tier: str) -> int | None:
        if problem == "day":
            return self.limits.day_of(tier)
        return self.limits.minute if problem == "minute" else self.limits.app_minute

    def _window(self, problem: Problem, client_id: str, tier: str, whose: str, now: datetime) -> Window:
        key = (client_id, whose, problem)
        if key not in self._windows:
            length = DAY if problem == "day" else MINUTE
            self._windows[key] = Window(length=length, start=now, used=self._preset(problem, tier, whose))
        self._windows[key].turn(now)
        return self._windows[key]

    def _preset(self, problem: Problem, tier: str, whose: str) -> int:
        limit = self._limit(problem, tier)
        if problem != "day" or limit is None or whose not in self._presets:
            return 0
        return max(0, limit - self._presets[whose])
