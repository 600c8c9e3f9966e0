"""The SQL of long blocks: what a provider refused until when, so that a wiped Redis forgets nothing that matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from tieline.database import current
from tieline.ids import AppId, PracticeId
from tieline.quota.blocks import Block

_STANDING = """
SELECT external_id, limit_name, until FROM quota_block
 WHERE practice_id = $1 AND provider_app_id = $2 AND until > $3
"""
_OVER = """
WITH over AS (SELECT external_id, limit_name FROM quota_block
               WHERE practice_id = $1 AND provider_app_id = $2 AND until <= $3
               ORDER BY external_id, limit_name FOR UPDATE SKIP LOCKED)
DELETE FROM quota_block AS b USING over AS o
 WHERE b.practice_id = $1 AND b.provider_app_id = $2 AND b.external_id = o.external_id AND b.limit_name = o.limit_name
"""
_KEEP = """
INSERT INTO quota_block AS b (practice_id, provider_app_id, external_id, limit_name, until)
SELECT $1, a.id, $3, $4, $5 FROM provider_app AS a WHERE a.practice_id = $1 AND a.id = $2
ON CONFLICT (practice_id, provider_app_id, external_id, limit_name)
   DO UPDATE SET until = greatest(b.until, excluded.until)
"""


@dataclass(frozen=True, slots=True)
class BlockRepository:
    """Blocks of one practice's apps."""

    practice_id: PracticeId

    @classmethod
    def of(cls, practice_id: PracticeId) -> Self:
        return cls(practice_id)

    async def standing(self, app_id: AppId, *, at: datetime) -> Sequence[Block]:
        """Those of the app that are not over."""
        rows = await current().rows(_STANDING, self.practice_id, app_id, at)
        return [
            Block(organisation=row["external_id"] or None, limit=row["limit_name"], until=row["until"])
            for row in rows
        ]

    async def keep(self, app_id: AppId, block: Block, *, at: datetime) -> None:
        """Store it, then drop those that are over and nobody else writes; nothing where the app is gone."""
        await current().run(
            _KEEP, self.practice_id, app_id, block.organisation or "", block.limit, block.until
        )
        await current().run(_OVER, self.practice_id, app_id, at)
