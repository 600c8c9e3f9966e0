"""The jobs of webhooks: sync what was touched, forget what was told long ago.

What the first does is imported when it runs: that module queues this very job.
"""

from __future__ import annotations

from uuid import UUID

from tieline.ids import OrganisationId, PracticeId
from tieline.sweeps.rounds import prune
from tieline.webhooks import repository
from tieline.work import Again, Lane, actor


@actor(lane=Lane.BACKGROUND)
async def sync_touched(*, practice_id: str, organisation_id: str) -> Again | None:
    """Queue a sync of the feeds that webhooks have touched."""
    from tieline.webhooks import service

    return await service.sync_touched(PracticeId(UUID(practice_id)), OrganisationId(UUID(organisation_id)))


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_webhooks(*, keep_days: int) -> Again:
    """Forget events that were told long ago."""
    return await prune(repository.prune_events, keep_days=keep_days)
