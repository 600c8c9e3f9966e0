"""Every actor of the product, by name, and the jobs that recur for ever."""

from __future__ import annotations

from tieline.events.actors import prune_events
from tieline.settings import Settings
from tieline.work import Actor, system_work

ACTORS: dict[str, Actor] = {each.name: each for each in (prune_events,)}


async def ensure_recurring(settings: Settings) -> None:
    """See to it that each recurring job has its one row; schedulers do this when they start."""
    async with system_work() as work:
        work.enqueue(prune_events, key="daily", keep_days=settings.event_retention_days)
