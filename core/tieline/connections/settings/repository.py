"""The SQL of records that settings name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tieline.database import current
from tieline.ids import OrganisationId, PracticeId


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: in which books, in which list, under which id of the provider's."""

    organisation_id: OrganisationId
    dataset: str
    external_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRecord:
    """A record as far as a setting shows it; `name` is None for one that has none."""

    name: str | None
    active: bool


# Looked up one by one, along the key: a join would be planned by what statistics say of a practice.
_RECORDS = """
SELECT n.organisation_id, n.dataset, n.external_id, r.name, r.active
  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS n (organisation_id, dataset, external_id)
 CROSS JOIN LATERAL (
      SELECT r.data ->> 'name' AS name, r.active FROM ledger_record AS r
       WHERE r.practice_id = $1 AND r.organisation_id = n.organisation_id AND r.dataset = n.dataset
         AND r.external_id = n.external_id AND r.deleted_at IS NULL
       LIMIT 1) AS r
"""


async def records_at(practice_id: PracticeId, places: Collection[Place]) -> dict[Place, NamedRecord]:
    """Those of these that there are."""
    rows = await current().rows(
        _RECORDS,
        practice_id,
        [place.organisation_id for place in places],
        [place.dataset for place in places],
        [place.external_id for place in places],
    )
    return {
        Place(row["organisation_id"], row["dataset"], row["external_id"]): NamedRecord(
            name=row["name"], active=row["active"]
        )
        for row in rows
    }
