"""The sweep that keeps keys that have ended for as long as it is kept what was done by them."""

from __future__ import annotations

from tieline.practices.api_keys import repository
from tieline.sweeps.rounds import prune
from tieline.work import Again, Lane, actor


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_keys(*, keep_days: int) -> Again:
    """Forget API keys that ended long ago."""
    return await prune(repository.prune, keep_days=keep_days)
