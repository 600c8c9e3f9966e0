"""The SQL of what is there of a client: what its deletion removes, and what it leaves because others use it."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.clients.purging.repository import UNCLAIMED
from tieline.database import current
from tieline.ids import ClientId, PracticeId


@dataclass(frozen=True, kw_only=True, slots=True)
class Belongings:
    """How much there is of a client. `connections` are current or ended; organisations are counted once each.

    `records` and `sync_runs` are of organisations that no other client was ever connected to, `organisations_kept` are
    the others. `people` belong to this client.
    """

    connections: int
    organisations_freed: int
    organisations_kept: int
    records: int
    sync_runs: int
    people: int


_OWN = "practice_id = $1 AND organisation_id = ANY (ARRAY (SELECT id FROM own))"
_BELONGINGS = f"""
WITH standing AS MATERIALIZED (
     SELECT organisation_id, held_organisation_id FROM connection WHERE practice_id = $1 AND client_id = $2),
     known AS MATERIALIZED (SELECT DISTINCT organisation_id AS id FROM standing),
     own AS MATERIALIZED (SELECT o.id FROM known AS o WHERE {UNCLAIMED})
SELECT (SELECT count(*) FROM standing) AS connections,
       (SELECT count(DISTINCT held_organisation_id) FROM standing) AS organisations_freed,
       (SELECT count(*) FROM known) - (SELECT count(*) FROM own) AS organisations_kept,
       (SELECT count(*) FROM ledger_record WHERE {_OWN} AND deleted_at IS NULL) AS records,
       (SELECT count(*) FROM sync_run WHERE {_OWN}) AS sync_runs,
       (SELECT count(*) FROM client_member WHERE practice_id = $1 AND client_id = $2) AS people
"""


async def belongings_of(practice_id: PracticeId, client_id: ClientId) -> Belongings:
    """All of it counted in one statement, and so of one moment."""
    row = await current().row(_BELONGINGS, practice_id, client_id)
    return Belongings(**dict(row))
