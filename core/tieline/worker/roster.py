"""Every actor of the product, by name, and the jobs that recur for ever."""

from __future__ import annotations

from tieline.clients.actors import purge_client
from tieline.connections.actors import sweep_organisations
from tieline.credentials.actors import (
    check_reach,
    finish_refresh,
    let_go_credential,
    release_at_provider,
    release_organisation,
)
from tieline.events.actors import prune_events
from tieline.settings import Settings
from tieline.sign_ins.actors import fetch_details, forget_sign_in
from tieline.sync.actors import queue_due, work_run
from tieline.work import Actor, system_work

ACTORS: dict[str, Actor] = {
    each.name: each
    for each in (
        prune_events,
        purge_client,
        sweep_organisations,
        finish_refresh,
        release_organisation,
        release_at_provider,
        let_go_credential,
        fetch_details,
        forget_sign_in,
        check_reach,
        work_run,
        queue_due,
    )
}


async def ensure_recurring(settings: Settings) -> None:
    """See to it that each recurring job has its one row; schedulers do this when they start."""
    async with system_work() as work:
        work.enqueue(prune_events, key="daily", keep_days=settings.event_retention_days)
        work.enqueue(queue_due, key="minutely")
        work.enqueue(sweep_organisations, key="daily")
