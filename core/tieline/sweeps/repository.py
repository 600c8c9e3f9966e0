"""The SQL of sweeps: tokens that are to be renewed, and rows of all practices past their retention."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from tieline.credentials.giving_back.repository import forget_lapsed
from tieline.database import current
from tieline.ids import CredentialId, PracticeId

Stale: TypeAlias = tuple[CredentialId, int]
"""A credential and the version of the tokens that are to be renewed."""

# After half of their life, and after 25 to 30 days, by the credential's id: what was connected in one night is not
# renewed in one night. What is over by the provider's own word is asked for once more: it has the last word. Who has a
# job for it already is left to that.
_STALE = """
SELECT c.id, c.version FROM credential AS c
 WHERE c.practice_id = {practice} AND c.state = 'LIVE'
   AND (c.refreshed_at + least(make_interval(hours => 600 + get_byte(uuid_send(c.id), 15) * 118 / 255),
                               (c.refresh_expires_at - c.refreshed_at) / 2) <= $2
        OR c.hard_expires_at <= $2)
   AND NOT EXISTS (SELECT FROM job AS j
                    WHERE j.practice_id = c.practice_id AND j.key = $4 || c.id AND j.failed_at IS NULL)
 ORDER BY c.refreshed_at, c.id LIMIT $3
"""
_PRACTICES = f"""
SELECT every.id FROM practice AS every
 WHERE $1::uuid IS NULL AND EXISTS ({_STALE.format(practice="every.id")}) ORDER BY every.id
"""
# The last run of an organisation is kept: it says how its books stand.
_OLD_RUNS = """
SELECT r.id FROM sync_run AS r
 WHERE r.finished_at < $1
   AND EXISTS (SELECT FROM sync_run AS later
                WHERE later.practice_id = r.practice_id AND later.organisation_id = r.organisation_id
                  AND (later.created_at, later.id) > (r.created_at, r.id))
 ORDER BY r.finished_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED
"""
# One whose token still waits to be revoked is not over.
_OLD_SIGN_INS = """
SELECT s.id FROM sign_in AS s
 WHERE s.state IN ('FAILED', 'EXPIRED') AND s.changed_at < $1
   AND NOT EXISTS (SELECT FROM consent_round AS r
                    WHERE r.practice_id = s.practice_id AND r.sign_in_id = s.id AND r.tokens_sealed IS NOT NULL)
 ORDER BY s.changed_at LIMIT $2 FOR UPDATE OF s SKIP LOCKED
"""
_PRUNE_TOMBSTONES = """
WITH old AS (
     SELECT practice_id, organisation_id, dataset, external_id FROM ledger_record
      WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED)
DELETE FROM ledger_record AS r USING old
 WHERE r.practice_id = old.practice_id AND r.organisation_id = old.organisation_id
   AND r.dataset = old.dataset AND r.external_id = old.external_id
"""
_PRUNE_METERS = """
WITH old AS (SELECT practice_id, provider_app_id, external_id, limit_name, day FROM quota_meter
              WHERE day < $1 ORDER BY day LIMIT $2 FOR UPDATE SKIP LOCKED)
DELETE FROM quota_meter AS m USING old
 WHERE m.practice_id = old.practice_id AND m.provider_app_id = old.provider_app_id
   AND m.external_id = old.external_id AND m.limit_name = old.limit_name AND m.day = old.day
"""


async def practices_with_stale(*, at: datetime, key: str) -> list[PracticeId]:
    """The practices that have a credential to renew. System scope."""
    return [row["id"] for row in await current().rows(_PRACTICES, None, at, 1, key)]


async def find_stale(practice_id: PracticeId, *, at: datetime, most: int, key: str) -> list[Stale]:
    """Live credentials to renew, the oldest first; `key` is what the key of such a job begins with."""
    rows = await current().rows(_STALE.format(practice="$1::uuid"), practice_id, at, most, key)
    return [(row["id"], row["version"]) for row in rows]


async def prune_runs(*, before: datetime, limit: int) -> int:
    """Delete a batch of runs that were over before an instant, but for each organisation's last; how many."""
    return await current().run(
        f"WITH old AS ({_OLD_RUNS}) DELETE FROM sync_run AS r USING old WHERE r.id = old.id", before, limit
    )


async def prune_sign_ins(*, before: datetime, limit: int) -> int:
    """Delete a batch of sign-ins that ended before an instant, with their rounds; how many.

    With them go leases for giving back that nobody has ended.
    """
    await forget_lapsed(limit=limit)
    return await current().run(
        f"WITH old AS ({_OLD_SIGN_INS}) DELETE FROM sign_in AS s USING old WHERE s.id = old.id", before, limit
    )


async def prune_tombstones(*, before: datetime, limit: int) -> int:
    """Delete a batch of the records that were gone before an instant; how many."""
    return await current().run(_PRUNE_TOMBSTONES, before, limit)


async def prune_meters(*, before: datetime, limit: int) -> int:
    """Delete a batch of the days that were before an instant's; how many."""
    return await current().run(_PRUNE_METERS, before.date(), limit)
