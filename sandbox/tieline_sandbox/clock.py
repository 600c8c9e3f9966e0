"""The sandbox's calendar: real time and an offset that tests move; every life and date is measured on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Time as the pretended providers see it."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def set(self, offset: timedelta) -> None:
        self.offset = offset

    def advance(self, by: timedelta) -> None:
        self.offset += by
