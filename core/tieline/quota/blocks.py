"""Blocks: a provider said how long nothing passes. The long ones outlive Redis, wherever `Blocks` keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LONG = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """`organisation` is the provider's id, None for the whole app; `until` is calendar time."""

    organisation: str | None
    limit: str
    until: datetime


class Blocks(Protocol):
    """Where the long blocks of one practice's app are kept. Equal ones keep the same."""

    def __hash__(self) -> int: ...

    async def load(self) -> Sequence[Block]:
        """Those that are not over."""
        ...

    async def keep(self, block: Block) -> None:
        """Keep it; of the same organisation and limit the later one counts."""
        ...


class Forgetful:
    """Keeps none: for tools and tests."""

    async def load(self) -> Sequence[Block]:
        return ()

    async def keep(self, block: Block) -> None:
        """It is gone with Redis."""
