"""The SQL of removing a deleted client: in batches where there may be many rows, the rest at once.

Records belong to an organisation, and are removed with the last client that ever was connected to it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.database import current
from tieline.ids import ClientId, CredentialId, OrganisationId, PracticeId

_OF_CLIENT = ("client_word", "client_member", "member_client")
_OF_ORGANISATION = ("ledger_record", "record_set_aside", "sync_run")
_DELETED = """
SELECT id FROM client WHERE practice_id = $1 AND id = $2 AND deleted_at IS NOT NULL
"""
_BATCH = """
DELETE FROM {table} WHERE practice_id = $1 AND ctid = ANY (ARRAY (
       SELECT r.ctid FROM {table} AS r WHERE r.practice_id = $1 AND r.client_id = $2 LIMIT $3))
"""
UNCLAIMED = """
NOT EXISTS (SELECT FROM connection AS k
              JOIN client AS c ON c.practice_id = k.practice_id AND c.id = k.client_id
             WHERE k.practice_id = $1 AND k.organisation_id = o.id AND k.client_id <> $2 AND c.deleted_at IS NULL)
"""
"""Of an organisation `o`: whether no client but `$2` was ever connected to it, so that its records go with that one."""
_UNCLAIMED = f"SELECT o.id FROM unnest($3::uuid[]) AS o (id) WHERE {UNCLAIMED}"
_OF_THESE = "practice_id = $1 AND organisation_id = ANY ($2::uuid[])"
_RECORDS = f"""
DELETE FROM {{table}} WHERE practice_id = $1 AND ctid = ANY (ARRAY (
       SELECT r.ctid FROM {{table}} AS r WHERE {_OF_THESE} LIMIT $3))
"""


class PurgeRepository:
    """One deleted client of a practice, and what is left of it."""

    def __init__(self, practice_id: PracticeId, client_id: ClientId) -> None:
        self._mine = (practice_id, client_id)

    @classmethod
    def of(cls, practice_id: PracticeId, client_id: ClientId) -> PurgeRepository:
        return cls(practice_id, client_id)

    async def lock(self) -> bool:
        """Whether the client is there, and deleted; then nobody else removes it at the same time."""
        return await current().value(f"{_DELETED} FOR UPDATE", *self._mine) is not None

    async def delete_batch(self, limit: int) -> int:
        """Delete at most so many words of its name and people of it; how many those were."""
        for table in _OF_CLIENT:
            deleted = await current().run(_BATCH.format(table=table), *self._mine, limit)
            if deleted:
                return deleted
        return 0

    async def delete_records(self, organisation_ids: Collection[OrganisationId], limit: int) -> int:
        """Delete at most so much of what was read of those of these locked organisations that are no other client's.

        How much that was. Whoever connects one of them in the middle of this has it read from its beginning.
        """
        rows = await current().rows(_UNCLAIMED, *self._mine, list(organisation_ids))
        these = (self._mine[0], [row["id"] for row in rows])
        await current().run(
            f"UPDATE feed_cursor SET cursor = NULL, full_read_at = NULL WHERE {_OF_THESE} "
            "AND (cursor IS NOT NULL OR full_read_at IS NOT NULL)",
            *these,
        )
        for table in _OF_ORGANISATION:
            deleted = await current().run(_RECORDS.format(table=table), *these, limit)
            if deleted:
                return deleted
        await current().run(f"DELETE FROM feed_cursor WHERE {_OF_THESE}", *these)
        await current().run(
            "UPDATE organisation SET last_synced_at = NULL, next_sync_at = NULL "
            "WHERE practice_id = $1 AND id = ANY ($2::uuid[])",
            *these,
        )
        return 0

    async def uses(self) -> list[tuple[CredentialId, OrganisationId]]:
        """Which organisations it was ever connected to, through which credentials."""
        rows = await current().rows(
            "SELECT DISTINCT credential_id, organisation_id FROM connection WHERE practice_id = $1 AND client_id = $2 "
            "ORDER BY organisation_id, credential_id",
            *self._mine,
        )
        return [(row["credential_id"], row["organisation_id"]) for row in rows]

    async def waits_for(self, keys: Collection[str], since: datetime) -> bool:
        """Whether one of the jobs of these keys is not over yet.

        What was given up is not waited for, and nothing is once the client was deleted before this instant.
        """
        found: bool = await current().value(
            "SELECT EXISTS (SELECT FROM job WHERE practice_id = $1 AND key = ANY ($3::text[]) AND failed_at IS NULL) "
            "AND EXISTS (SELECT FROM client WHERE practice_id = $1 AND id = $2 AND deleted_at > $4)",
            *self._mine,
            list(keys),
            since,
        )
        return found

    async def free_sign_ins(self) -> None:
        """Sign-ins that were for one of its connections stay, for none. They are locked before any organisation is."""
        await current().run(
            "UPDATE sign_in AS s SET connection_id = NULL FROM ("
            "SELECT id FROM sign_in WHERE practice_id = $1 AND connection_id = ANY (ARRAY ("
            "SELECT k.id FROM connection AS k WHERE k.practice_id = $1 AND k.client_id = $2)) "
            "ORDER BY id FOR NO KEY UPDATE) AS locked WHERE s.practice_id = $1 AND s.id = locked.id",
            *self._mine,
        )

    async def delete_connections(self) -> int:
        """Delete all of its connections; how many those were."""
        return await current().run(
            "DELETE FROM connection WHERE practice_id = $1 AND client_id = $2", *self._mine
        )

    async def delete_client(self) -> None:
        await current().run("DELETE FROM client WHERE practice_id = $1 AND id = $2", *self._mine)
