"""The sweep of organisations that are of no use to anybody any more."""

from __future__ import annotations

from datetime import timedelta

from tieline import clock
from tieline.connections.organisations.repository import sweep
from tieline.work import Again, Lane, actor, system_work

_BATCH = 1_000
_EVERY = timedelta(days=1)


@actor(lane=Lane.BACKGROUND, recurs=True)
async def sweep_organisations() -> Again:
    """Delete a batch of what no connection refers to and nobody reaches; at once again while there is more."""
    async with system_work() as work:
        tried = await sweep(at=work.now, limit=_BATCH)
    return Again(clock.now() + (timedelta(0) if tried == _BATCH else _EVERY))
