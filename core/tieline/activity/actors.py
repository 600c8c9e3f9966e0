"""The sweep that keeps activity for as long as the settings say."""

from __future__ import annotations

from tieline.activity import repository
from tieline.sweeps.rounds import prune
from tieline.work import Again, Lane, actor


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_activity(*, keep_days: int) -> Again:
    """Forget what was done long ago."""
    return await prune(repository.prune, keep_days=keep_days)
