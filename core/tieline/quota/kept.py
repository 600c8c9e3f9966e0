"""The long blocks of one app in PostgreSQL, each call in a scope of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieline import clock
from tieline.database import scope
from tieline.ids import AppId, PracticeId
from tieline.quota.blocks import Block
from tieline.quota.repository import BlockRepository


@dataclass(frozen=True, slots=True)
class KeptBlocks:
    """What a gate of this app keeps its long blocks in. Raises Busy and Unavailable."""

    practice_id: PracticeId
    app_id: AppId

    async def load(self) -> Sequence[Block]:
        async with scope(self.practice_id):
            return await BlockRepository.of(self.practice_id).standing(self.app_id, at=clock.now())

    async def keep(self, block: Block) -> None:
        async with scope(self.practice_id):
            await BlockRepository.of(self.practice_id).keep(self.app_id, block, at=clock.now())
