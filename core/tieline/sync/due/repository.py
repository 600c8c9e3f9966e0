"""The SQL of organisations that are due for a sync: found for all practices, taken practice by practice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.database import current
from tieline.ids import OrganisationId, PracticeId, RunId

# Each practice a few at a time, so that one with thousands does not hold up the others.
_DUE = """
SELECT p.id AS practice_id, due.id
  FROM practice AS p
 CROSS JOIN LATERAL (
       SELECT o.id, o.next_sync_at FROM organisation AS o
        WHERE o.practice_id = p.id AND o.next_sync_at <= $1 AND o.client_id IS NOT NULL
        ORDER BY o.next_sync_at, o.id LIMIT $2) AS due
 WHERE p.syncs_paused_at IS NULL
"""
# Where statistics say that practices have few organisations, all of one's seem as cheap to read and sort; it may have
# thousands.
_ALONG_THE_INDEX = "SET LOCAL enable_sort = off"
_TAKE = """
SELECT id, next_sync_at FROM organisation
 WHERE practice_id = $1 AND id = ANY ($2::uuid[]) AND next_sync_at <= $3 AND client_id IS NOT NULL
 ORDER BY id FOR UPDATE SKIP LOCKED
"""
# Neither a person nor a service asked for it as well.
_WAITING = """
    trigger = 'SCHEDULE' AND state = 'QUEUED' AND started_at IS NULL AND requested_by IS NULL AND lane <> 'INTERACTIVE'
"""
_CANCEL_WAITING = f"""
WITH held AS MATERIALIZED (
     SELECT o.id FROM organisation AS o
      WHERE o.practice_id = $1
        AND o.id = ANY (ARRAY (SELECT organisation_id FROM sync_run WHERE practice_id = $1 AND {_WAITING}))
      ORDER BY o.id FOR UPDATE)
UPDATE sync_run SET state = 'CANCELLED', reason = $2, changed_at = $3, finished_at = $3, message = NULL
 WHERE practice_id = $1 AND organisation_id = ANY (ARRAY (SELECT id FROM held)) AND {_WAITING}
RETURNING id, organisation_id
"""


async def due_organisations(*, at: datetime, most: int) -> dict[PracticeId, list[OrganisationId]]:
    """Those that are due by then, at most so many of each practice, those longest overdue: for the system.

    None of a practice that has paused its syncs.
    """
    await current().run(_ALONG_THE_INDEX)
    found: dict[PracticeId, list[OrganisationId]] = {}
    for row in await current().rows(_DUE, at, most):
        found.setdefault(row["practice_id"], []).append(row["id"])
    return found


async def take_due(
    practice_id: PracticeId, organisation_ids: Collection[OrganisationId], *, at: datetime
) -> dict[OrganisationId, datetime]:
    """Lock those of these that are due by then still and that nobody else holds: when each falls due."""
    rows = await current().rows(_TAKE, practice_id, list(organisation_ids), at)
    return {row["id"]: row["next_sync_at"] for row in rows}


async def syncs_by_itself(practice_id: PracticeId) -> bool:
    """Whether the practice has not paused its syncs; nobody does until the transaction ends.

    To be asked before any organisation is locked.
    """
    found = await current().value(
        "SELECT true FROM practice WHERE id = $1 AND syncs_paused_at IS NULL FOR SHARE", practice_id
    )
    return found is not None


async def cancel_waiting(
    practice_id: PracticeId, *, reason: str, at: datetime
) -> dict[RunId, OrganisationId]:
    """End the runs that were due, that nobody asked for and that have not begun: whose each was, locked."""
    rows = await current().rows(_CANCEL_WAITING, practice_id, reason, at)
    return {row["id"]: row["organisation_id"] for row in rows}
