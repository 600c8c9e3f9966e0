"""The job that removes a deleted client."""

from __future__ import annotations

from uuid import UUID

from tieline.clients.purging.service import purge
from tieline.ids import ClientId, PracticeId
from tieline.work import Again, Lane, Work, actor


@actor(lane=Lane.BACKGROUND)
async def purge_client(*, practice_id: str, client_id: str) -> Again | None:
    """Remove all that belongs to a deleted client, and end in one event with counts."""
    return await purge(PracticeId(UUID(practice_id)), ClientId(UUID(client_id)))


def enqueue_purge(work: Work, practice_id: PracticeId, client_id: ClientId) -> None:
    work.enqueue(purge_client, key=str(client_id), practice_id=str(practice_id), client_id=str(client_id))
