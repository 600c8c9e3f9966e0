"""The SQL of organisations that are due for a sync: found for all practices, taken practice by practice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.database import current
from tieline.ids import OrganisationId, PracticeId

# Each practice a few at a time, so that one with thousands does not hold up the others.
_DUE = """
SELECT p.id AS practice_id, due.id
  FROM practice AS p
 CROSS JOIN LATERAL (
       SELECT o.id, o.next_sync_at FROM organisation AS o
        WHERE o.practice_id = p.id AND o.next_sync_at <= $1 AND o.client_id IS NOT NULL
        ORDER BY o.next_sync_at, o.id LIMIT $2) AS due
 ORDER BY p.id, due.next_sync_at, due.id
"""
_TAKE = """
SELECT id FROM organisation
 WHERE practice_id = $1 AND id = ANY ($2::uuid[]) AND next_sync_at <= $3 AND client_id IS NOT NULL
 ORDER BY id FOR UPDATE SKIP LOCKED
"""


async def due_organisations(*, at: datetime, most: int) -> dict[PracticeId, list[OrganisationId]]:
    """Those that are due in all practices, at most so many of each, the longest overdue first: for the system."""
    found: dict[PracticeId, list[OrganisationId]] = {}
    for row in await current().rows(_DUE, at, most):
        found.setdefault(row["practice_id"], []).append(row["id"])
    return found


async def take_due(
    practice_id: PracticeId, organisation_ids: Collection[OrganisationId], *, at: datetime
) -> list[OrganisationId]:
    """Lock those of these that are due still and that nobody else holds."""
    rows = await current().rows(_TAKE, practice_id, list(organisation_ids), at)
    return [row["id"] for row in rows]
