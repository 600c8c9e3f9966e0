"""What of one app's quota is kept in PostgreSQL, each call in a scope of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieline import clock
from tieline.database import scope
from tieline.ids import AppId, PracticeId
from tieline.quota.lasting import Block, Counted
from tieline.quota.months import MONTH_DAYS
from tieline.quota.repository import BlockRepository, MeterRepository


@dataclass(frozen=True, slots=True)
class KeptInRows:
    """What a gate of this app keeps its long blocks and its months in. Raises Busy and Unavailable."""

    practice_id: PracticeId
    app_id: AppId

    async def load(self) -> Sequence[Block]:
        async with scope(self.practice_id):
            return await BlockRepository.of(self.practice_id).standing(self.app_id, at=clock.now())

    async def keep(self, block: Block) -> None:
        async with scope(self.practice_id):
            await BlockRepository.of(self.practice_id).keep(self.app_id, block, at=clock.now())

    async def counted(self) -> Sequence[Counted]:
        async with scope(self.practice_id):
            since = (clock.now() - MONTH_DAYS).date()
            return await MeterRepository.of(self.practice_id).counted(self.app_id, since=since)

    async def count(self, days: Sequence[Counted]) -> None:
        async with scope(self.practice_id):
            await MeterRepository.of(self.practice_id).count(self.app_id, days)
