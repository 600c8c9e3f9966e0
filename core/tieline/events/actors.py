"""The sweep that keeps events for as long as the settings say."""

from __future__ import annotations

from datetime import timedelta

from tieline import clock
from tieline.events import repository
from tieline.work import Again, Lane, actor, system_work

_BATCH = 5_000
_EVERY = timedelta(days=1)


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_events(*, keep_days: int) -> Again:
    """Delete a batch of events past their retention; due again at once while there are more, else in a day."""
    async with system_work() as work:
        deleted = await repository.prune(before=work.now - timedelta(days=keep_days), limit=_BATCH)
    return Again(clock.now() + (timedelta(0) if deleted == _BATCH else _EVERY))
