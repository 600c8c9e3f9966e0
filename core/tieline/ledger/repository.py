"""The SQL that writes records: whole pages at a time, and only what has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tieline.database import current
from tieline.ids import OrganisationId, PracticeId
from tieline.ledger.records import Key, Row

# A row whose payload stays keeps the very values it has, so that what is stored out of line is not written again.
_UPSERT = """
WITH written AS (
INSERT INTO ledger_record AS r
       (practice_id, organisation_id, dataset, external_id, name, code, sort_key, active, data, source_updated_at, hash,
        generation, changed_at)
SELECT $1, $2, n.dataset, n.external_id, n.name, n.code, n.sort_key, n.active, n.data::jsonb, n.updated_at, n.hash,
       $12, $13
  FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::timestamptz[],
              $11::bytea[]) AS n (dataset, external_id, name, code, sort_key, active, data, updated_at, hash)
 ORDER BY n.dataset, n.external_id
    ON CONFLICT (practice_id, organisation_id, dataset, external_id) DO UPDATE
   SET name = {changed} excluded.name ELSE r.name END,
       code = {changed} excluded.code ELSE r.code END,
       sort_key = {changed} excluded.sort_key ELSE r.sort_key END,
       active = {changed} excluded.active ELSE r.active END,
       data = {changed} excluded.data ELSE r.data END,
       source_updated_at = {changed} excluded.source_updated_at ELSE r.source_updated_at END,
       changed_at = {changed} excluded.changed_at ELSE r.changed_at END,
       hash = excluded.hash, generation = greatest(r.generation, excluded.generation), deleted_at = NULL
 WHERE r.hash <> excluded.hash OR r.deleted_at IS NOT NULL OR r.generation < excluded.generation
RETURNING changed_at)
SELECT count(*) FILTER (WHERE changed_at = $13) FROM written
""".format(changed="CASE WHEN r.hash <> excluded.hash OR r.deleted_at IS NOT NULL THEN")
_BY_KEY = "unnest($3::text[], $4::text[]) AS n (dataset, external_id)"
_OF_KEY = (
    "{0}.practice_id = $1 AND {0}.organisation_id = $2 "
    "AND {0}.dataset = n.dataset AND {0}.external_id = n.external_id"
)
_REMOVE = f"""
UPDATE ledger_record AS r SET deleted_at = $5, changed_at = $5 FROM {_BY_KEY}
 WHERE {_OF_KEY.format("r")} AND r.deleted_at IS NULL
"""
_KEEP = f"""
UPDATE ledger_record AS r SET generation = $5 FROM {_BY_KEY} WHERE {_OF_KEY.format("r")} AND r.deleted_at IS NULL
"""
_READABLE = f"DELETE FROM record_set_aside AS s USING {_BY_KEY} WHERE {_OF_KEY.format('s')}"
_SET_ASIDE = """
INSERT INTO record_set_aside AS s (practice_id, organisation_id, dataset, external_id, feed, why, at)
SELECT $1, $2, n.dataset, n.external_id, $6, n.why, $7
  FROM unnest($3::text[], $4::text[], $5::text[]) AS n (dataset, external_id, why) ORDER BY n.dataset, n.external_id
    ON CONFLICT (practice_id, organisation_id, dataset, external_id)
    DO UPDATE SET feed = excluded.feed, why = excluded.why, at = excluded.at
"""
_SHOWN = """
SELECT d.dataset,
       (SELECT count(*) FROM ledger_record AS r
         WHERE r.practice_id = $1 AND r.organisation_id = $2 AND r.dataset = d.dataset
           AND r.deleted_at IS NULL) AS live,
       (SELECT count(*) FROM ledger_record AS r
         WHERE r.practice_id = $1 AND r.organisation_id = $2 AND r.dataset = d.dataset AND r.deleted_at IS NULL
           AND r.generation < $4) AS unseen
  FROM unnest($3::text[]) AS d (dataset)
"""
_BURY = """
UPDATE ledger_record SET deleted_at = $5, changed_at = $5
 WHERE practice_id = $1 AND organisation_id = $2 AND dataset = ANY ($3::text[]) AND deleted_at IS NULL
   AND generation < $4
"""
_FORGET_SET_ASIDE = """
DELETE FROM record_set_aside
 WHERE practice_id = $1 AND organisation_id = $2 AND dataset = ANY ($3::text[]) AND feed = $4 AND at < $5
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """Of a dataset's records that are there: how many, and how many of them a snapshot did not show."""

    live: int
    unseen: int


class LedgerRepository:
    """The records of one organisation, for its run: nobody else writes them."""

    def __init__(self, practice_id: PracticeId, organisation_id: OrganisationId) -> None:
        self._mine = (practice_id, organisation_id)

    @classmethod
    def of(cls, practice_id: PracticeId, organisation_id: OrganisationId) -> LedgerRepository:
        return cls(practice_id, organisation_id)

    async def upsert(self, rows: Sequence[Row], *, generation: int, at: datetime) -> int:
        """Write a page, each key once; how many records are new, different, or back again.

        `generation` is that of the reading of everything that they are seen in, or come after.
        """
        changed: int = await current().value(
            _UPSERT,
            *self._mine,
            [row.dataset for row in rows],
            [row.external_id for row in rows],
            [row.name for row in rows],
            [row.code for row in rows],
            [row.sort_key for row in rows],
            [row.active for row in rows],
            [row.data for row in rows],
            [row.updated_at for row in rows],
            [row.hash for row in rows],
            generation,
            at,
        )
        return changed

    async def remove(self, gone: Collection[Key], *, at: datetime) -> int:
        """Put a tombstone on these; how many were there."""
        return await current().run(_REMOVE, *self._mine, *_columns(gone), at)

    async def set_aside(self, whys: Mapping[Key, str], *, feed: str, at: datetime) -> None:
        """Say of records that they could not be read; what was read of them before stays."""
        await current().run(_SET_ASIDE, *self._mine, *_columns(whys), list(whys.values()), feed, at)

    async def readable(self, keys: Collection[Key]) -> None:
        """These can be read, or are gone: nothing of them is set aside any more."""
        await current().run(_READABLE, *self._mine, *_columns(keys))

    async def keep(self, keys: Collection[Key], *, generation: int) -> None:
        """The reading showed these, though they could not be read."""
        await current().run(_KEEP, *self._mine, *_columns(keys), generation)

    async def shown(self, datasets: Collection[str], *, generation: int) -> dict[str, Shown]:
        """What a snapshot that has ended showed of each dataset."""
        rows = await current().rows(_SHOWN, *self._mine, list(datasets), generation)
        return {row["dataset"]: Shown(live=row["live"], unseen=row["unseen"]) for row in rows}

    async def bury(self, datasets: Collection[str], *, generation: int, at: datetime) -> int:
        """Put a tombstone on what the snapshot did not show; how many those are."""
        return await current().run(_BURY, *self._mine, list(datasets), generation, at)

    async def forget_set_aside(self, datasets: Collection[str], *, feed: str, before: datetime) -> None:
        """A reading of everything that began then has ended: what it did not set aside is none any more."""
        await current().run(_FORGET_SET_ASIDE, *self._mine, list(datasets), feed, before)


def _columns(keys: Collection[Key]) -> tuple[list[str], list[str]]:
    return [dataset for dataset, _ in keys], [external_id for _, external_id in keys]
