"""The SQL of what outlives Redis: long blocks, and how many calls of each day count for a month."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self, TypeVar

from tieline.database import current
from tieline.ids import AppId, PracticeId
from tieline.quota.lasting import Block, Counted

T = TypeVar("T")

_STANDING = """
SELECT external_id, limit_name, until FROM quota_block
 WHERE practice_id = $1 AND provider_app_id = $2 AND until > $3
"""
_STANDING_OF = """
SELECT provider_app_id, external_id, limit_name, until FROM quota_block
 WHERE practice_id = $1 AND provider_app_id = ANY (ARRAY (SELECT a.id FROM provider_app AS a WHERE a.practice_id = $1))
   AND external_id = ANY ($2::text[]) AND until > $3
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
_COUNTED = """
SELECT external_id, limit_name, day, calls FROM quota_meter
 WHERE practice_id = $1 AND provider_app_id = $2 AND day >= $3
"""
_COUNTED_OF = """
SELECT provider_app_id, external_id, limit_name, day, calls FROM quota_meter
 WHERE practice_id = $1 AND provider_app_id = ANY (ARRAY (SELECT a.id FROM provider_app AS a WHERE a.practice_id = $1))
   AND external_id = ANY ($2::text[]) AND day >= $3
"""
# In one order, so that two processes that write the same days do not wait for each other.
_COUNT = """
INSERT INTO quota_meter AS m (practice_id, provider_app_id, external_id, limit_name, day, calls)
SELECT $1, a.id, d.external_id, d.limit_name, d.day, d.calls
  FROM provider_app AS a
 CROSS JOIN unnest($3::text[], $4::text[], $5::date[], $6::bigint[]) AS d (external_id, limit_name, day, calls)
 WHERE a.practice_id = $1 AND a.id = $2
 ORDER BY d.external_id, d.limit_name, d.day
ON CONFLICT (practice_id, provider_app_id, external_id, limit_name, day)
   DO UPDATE SET calls = excluded.calls WHERE m.calls < excluded.calls
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
        return [_block(row) for row in await current().rows(_STANDING, self.practice_id, app_id, at)]

    async def standing_of(self, organisations: Collection[str], *, at: datetime) -> dict[AppId, list[Block]]:
        """Those of the apps themselves and of these organisations that are not over, by app."""
        rows = await current().rows(_STANDING_OF, self.practice_id, ["", *organisations], at)
        return _by_app(rows, _block)

    async def keep(self, app_id: AppId, block: Block, *, at: datetime) -> None:
        """Store it, then drop those that are over and nobody else writes; nothing where the app is gone."""
        await current().run(
            _KEEP, self.practice_id, app_id, block.organisation or "", block.limit, block.until
        )
        await current().run(_OVER, self.practice_id, app_id, at)


@dataclass(frozen=True, slots=True)
class MeterRepository:
    """What was counted of the months of one practice's apps."""

    practice_id: PracticeId

    @classmethod
    def of(cls, practice_id: PracticeId) -> Self:
        return cls(practice_id)

    async def counted(self, app_id: AppId, *, since: date) -> Sequence[Counted]:
        """The app's days from that one on."""
        return [_day(row) for row in await current().rows(_COUNTED, self.practice_id, app_id, since)]

    async def counted_of(self, organisations: Collection[str], *, since: date) -> dict[AppId, list[Counted]]:
        """The days of the apps themselves and of these organisations from that one on, by app."""
        rows = await current().rows(_COUNTED_OF, self.practice_id, ["", *organisations], since)
        return _by_app(rows, _day)

    async def count(self, app_id: AppId, days: Sequence[Counted]) -> None:
        """Store them where they are more than before; nothing where the app is gone."""
        await current().run(
            _COUNT,
            self.practice_id,
            app_id,
            [each.organisation or "" for each in days],
            [each.limit for each in days],
            [each.day for each in days],
            [each.calls for each in days],
        )


def _by_app(rows: Iterable[Any], made: Callable[[Any], T]) -> dict[AppId, list[T]]:
    found: dict[AppId, list[T]] = {}
    for row in rows:
        found.setdefault(row["provider_app_id"], []).append(made(row))
    return found


def _block(row: Any) -> Block:
    return Block(organisation=row["external_id"] or None, limit=row["limit_name"], until=row["until"])


def _day(row: Any) -> Counted:
    return Counted(
        organisation=row["external_id"] or None,
        limit=row["limit_name"],
        day=row["day"],
        calls=row["calls"],
    )
