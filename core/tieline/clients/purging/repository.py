"""The SQL of removing a deleted client: in batches where there may be many rows, the rest at once."""

from __future__ import annotations

from collections.abc import Collection

from tieline.database import current
from tieline.ids import ClientId, CredentialId, OrganisationId, PracticeId

_OF_CLIENT = ("client_word", "client_member", "member_client")
_DELETED = """
SELECT id FROM client WHERE practice_id = $1 AND id = $2 AND deleted_at IS NOT NULL
"""
_BATCH = """
DELETE FROM {table} WHERE practice_id = $1 AND ctid = ANY (ARRAY (
       SELECT r.ctid FROM {table} AS r WHERE r.practice_id = $1 AND r.client_id = $2 LIMIT $3))
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

    async def uses(self) -> list[tuple[CredentialId, OrganisationId]]:
        """Which organisations it was ever connected to, through which credentials."""
        rows = await current().rows(
            "SELECT DISTINCT credential_id, organisation_id FROM connection WHERE practice_id = $1 AND client_id = $2 "
            "ORDER BY organisation_id, credential_id",
            *self._mine,
        )
        return [(row["credential_id"], row["organisation_id"]) for row in rows]

    async def waits_for(self, keys: Collection[str]) -> bool:
        """Whether one of the jobs of these keys is not over yet; what was given up is not waited for."""
        found: bool = await current().value(
            "SELECT EXISTS (SELECT FROM job WHERE practice_id = $1 AND key = ANY ($2::text[]) AND failed_at IS NULL)",
            self._mine[0],
            list(keys),
        )
        return found

    async def delete_connections(self) -> int:
        """Delete all of its connections; sign-ins that were for one of them stay, for none. How many those were."""
        await current().run(
            "UPDATE sign_in AS s SET connection_id = NULL FROM connection AS k "
            "WHERE k.practice_id = $1 AND k.client_id = $2 AND s.practice_id = $1 AND s.connection_id = k.id",
            *self._mine,
        )
        return await current().run(
            "DELETE FROM connection WHERE practice_id = $1 AND client_id = $2", *self._mine
        )

    async def delete_client(self) -> None:
        await current().run("DELETE FROM client WHERE practice_id = $1 AND id = $2", *self._mine)
