"""Every actor of the product, by name, and the jobs that recur for ever."""

from __future__ import annotations

from tieline.activity.actors import prune_activity
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
from tieline.practices.api_keys.actors import prune_keys
from tieline.settings import Settings
from tieline.sign_ins.actors import fetch_details, forget_sign_in
from tieline.sweeps.actors import (
    expire_consents,
    prune_meters,
    prune_runs,
    prune_sign_ins,
    prune_tombstones,
    renew_ahead,
    warn_ahead,
)
from tieline.sync.actors import queue_due, work_run
from tieline.webhooks.actors import prune_webhooks, sync_touched
from tieline.work import Actor, system_work

ACTORS: dict[str, Actor] = {
    each.name: each
    for each in (
        prune_events,
        prune_activity,
        prune_keys,
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
        expire_consents,
        warn_ahead,
        renew_ahead,
        prune_runs,
        prune_sign_ins,
        prune_tombstones,
        sync_touched,
        prune_webhooks,
        prune_meters,
    )
}


async def ensure_recurring(settings: Settings) -> None:
    """See to it that each recurring job has its one row; schedulers do this when they start."""
    async with system_work() as work:
        work.enqueue(prune_events, key="daily", keep_days=settings.event_retention_days)
        work.enqueue(prune_activity, key="daily", keep_days=settings.activity_retention_days)
        # A day longer than what was done by them, which is shown with their names.
        work.enqueue(prune_keys, key="daily", keep_days=settings.activity_retention_days + 1)
        work.enqueue(queue_due, key="minutely")
        work.enqueue(sweep_organisations, key="daily")
        work.enqueue(expire_consents, key="hourly")
        work.enqueue(warn_ahead, key="hourly")
        work.enqueue(renew_ahead, key="hourly")
        work.enqueue(prune_runs, key="daily", keep_days=settings.run_retention_days)
        work.enqueue(prune_sign_ins, key="daily", keep_days=settings.sign_in_retention_days)
        work.enqueue(prune_tombstones, key="daily", keep_days=settings.tombstone_retention_days)
        work.enqueue(prune_webhooks, key="daily", keep_days=settings.webhook_retention_days)
        work.enqueue(prune_meters, key="daily")
