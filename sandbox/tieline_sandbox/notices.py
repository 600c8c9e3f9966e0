"""What happened in the books that apps are to be told of, in order, and how far each app has acknowledged it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

MAX_NOTICES = 20_000


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One record that somebody created, changed or deleted; numbers go on, over all organisations.

    `data` are those of its fields that the provider tells, too.
    """

    organisation: str
    dataset: str
    id: str
    what: str
    at: datetime
    data: dict[str, str] = field(default_factory=dict)
    number: int = 0


class Outbox:
    """One provider's. It forgets with the process, and the oldest of more than so many."""

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=MAX_NOTICES)
        self._last = 0
        self._told: dict[str, int] = {}
        self._held: dict[str, list[Notice]] = {}

    def add(self, notice: Notice) -> None:
        """It gets the next number."""
        self._last += 1
        self._notices.append(replace(notice, number=self._last))

    def begin(self, client_id: str) -> None:
        """The app is told from here on."""
        self._told[client_id] = self._last
        self._held.pop(client_id, None)

    def waiting(self, client_id: str, is_for: Callable[[Notice], bool]) -> list[Notice]:
        """What the app has not acknowledged."""
        begun = self._told.get(client_id, self._last)
        return [one for one in self._notices if one.number > begun and is_for(one)]

    def batch(self, client_id: str, is_for: Callable[[Notice], bool], *, most: int) -> list[Notice]:
        """What is delivered next: as long as it is not acknowledged, the same, and nothing behind it."""
        if not self._held.get(client_id):
            self._held[client_id] = self.waiting(client_id, is_for)[:most]
        return self._held[client_id]

    def acknowledge(self, client_id: str) -> None:
        """The app took the last batch."""
        batch = self._held.pop(client_id, [])
        if batch:
            self._told[client_id] = batch[-1].number
