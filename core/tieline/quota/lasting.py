"""What outlives Redis, wherever `Lasting` keeps it: long blocks, and what was counted of a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

LONG = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A provider said how long nothing passes.

    `organisation` is the provider's id, None for the whole app; `until` is calendar time.
    """

    organisation: str | None
    limit: str
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How many calls of one day of UTC, by all processes, count for a limit of a month."""

    organisation: str | None
    limit: str
    day: date
    calls: int


class Lasting(Protocol):
    """Where the long blocks and the months of one practice's app are kept. Equal ones keep the same."""

    def __hash__(self) -> int: ...

    async def load(self) -> Sequence[Block]:
        """The blocks that are not over."""
        ...

    async def keep(self, block: Block) -> None:
        """Keep it; of the same organisation and limit the later one counts."""
        ...

    async def counted(self) -> Sequence[Counted]:
        """The days that may still count for a month."""
        ...

    async def count(self, days: Sequence[Counted]) -> None:
        """Keep them; of the same organisation, limit and day the greater one counts."""
        ...


class Forgetful:
    """Keeps nothing: for tools and tests."""

    async def load(self) -> Sequence[Block]:
        return ()

    async def keep(self, block: Block) -> None:
        """It is gone with Redis."""

    async def counted(self) -> Sequence[Counted]:
        return ()

    async def count(self, days: Sequence[Counted]) -> None:
        """They are gone with Redis."""
