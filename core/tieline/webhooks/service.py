"""Webhooks in: whose address it is, whether the provider signed it, what it touches; and the sync of that, later.

address_of ── receive: read ── one transaction: taken down once, feeds touched, a job due in a moment
                                                                └── sync_touched: one run of these feeds
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import ConnectionRepository
from tieline.connections.runs import queue_some
from tieline.credentials.apps.repository import AppRepository, app_taking_webhooks
from tieline.credentials.apps.service import webhook_secret_of
from tieline.database import system_scope
from tieline.host import host
from tieline.ids import AppId, OrganisationId, PracticeId
from tieline.log import get_logger
from tieline.plugins import Limit, receiver_of
from tieline.principal import Principal
from tieline.sync.due.repository import syncs_by_itself
from tieline.sync.repository import live_runs
from tieline.sync.runs import Trigger
from tieline.webhooks.actors import sync_touched as sync_touched_later
from tieline.webhooks.intake import read
from tieline.webhooks.records import Address, Outcome, Told
from tieline.webhooks.repository import WebhookRepository
from tieline.work import Again, Work, retrying, unit_of_work

_LOOK_AGAIN = timedelta(seconds=30)
_WHILE_PAUSED = timedelta(hours=1)

log = get_logger(__name__)


async def address_of(provider_slug: str, app_id: AppId) -> Address | None:
    """Whose app takes webhooks here; None where there is none, or it has no secret for them."""
    provider = host().registry.get(provider_slug)
    receiver = receiver_of(provider)
    if provider is None or receiver is None:
        return None
    async with system_scope():
        found = await app_taking_webhooks(provider_slug, app_id)
    if found is None:
        return None
    app, sealed = found
    return Address(app=app, provider=provider, receiver=receiver, secret=webhook_secret_of(app, sealed))


async def receive(address: Address, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Take down what a delivery tells of: what this returns for is kept. Raises BadSignature, and what TryAgain is."""
    told = await asyncio.to_thread(
        read, address, headers, body
    )  # a long body is no reason to keep others waiting
    outcome = await _keep(address, told) if told else Outcome.UNCONCERNED
    log.info(
        "webhook.received",
        provider=address.app.provider,
        app_id=str(address.app.id),
        events=len(told),
        outcome=outcome,
    )
    return outcome


@retrying
async def _keep(address: Address, told: Collection[Told]) -> Outcome:
    """Only this practice's organisations are touched, whoever else has the same ones."""
    app = address.app
    async with unit_of_work(Principal.machine(app.practice_id)) as work:
        webhooks = WebhookRepository.of(app.practice_id)
        ours = await webhooks.concerned(app.provider, app.environment, {each.organisation for each in told})
        concerning = [each for each in told if each.organisation in ours]
        keys = {each.key for each in concerning if each.key is not None}
        fresh = await webhooks.take_down(app.id, keys, at=work.now) if keys else frozenset()
        news = [each for each in concerning if each.key is None or each.key in fresh]
        touched = {(ours[each.organisation], feed) for each in news for feed in each.feeds}
        if touched:
            await webhooks.touch(touched, at=work.now)
        for organisation_id in {organisation_id for organisation_id, _ in touched}:
            _ask_for_sync(work, app.practice_id, organisation_id)
    if touched:
        return Outcome.ACCEPTED
    return Outcome.REPEATED if concerning else Outcome.UNCONCERNED


def _ask_for_sync(work: Work, practice_id: PracticeId, organisation_id: OrganisationId) -> None:
    """Asked for again, it stays due when it was due first."""
    work.enqueue(
        sync_touched_later,
        due_at=host().pace.first_sync(organisation_id, at=work.now),
        key=str(organisation_id),
        practice_id=str(practice_id),
        organisation_id=str(organisation_id),
    )


async def sync_what_waited(work: Work, practice_id: PracticeId) -> None:
    """Have all that was touched while the practice had paused its syncs read soon."""
    for organisation_id in await WebhookRepository.of(practice_id).touched_organisations():
        _ask_for_sync(work, practice_id, organisation_id)


@retrying
async def sync_touched(practice_id: PracticeId, organisation_id: OrganisationId) -> Again | None:
    """Queue one run of all feeds that were touched; later, while a run is live or the last one is too lately.

    A live run may be past what was touched meanwhile, so it is not joined but waited for. While the practice has
    paused its syncs, what was touched is kept.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        if not await syncs_by_itself(practice_id):
            return Again(work.now + _WHILE_PAUSED)
        locked = await OrganisationRepository.of(practice_id).lock([organisation_id])
        webhooks = WebhookRepository.of(practice_id)
        feeds = await webhooks.touched(organisation_id)
        if not locked or not feeds:
            return None
        at = await _when(practice_id, locked[0], feeds=len(feeds), at=work.now)
        if at > work.now:
            return Again(at)
        await webhooks.forget_touched(organisation_id)
        if locked[0].last_synced_at is None:
            return None  # the first sync is due by itself, and reads everything
        connections = await ConnectionRepository.of(practice_id).current_of_organisations([organisation_id])
        working = [each for each in connections if each.reason is None]
        runs = await queue_some(work, practice_id, working, feeds, trigger=Trigger.WEBHOOK, person_id=None)
    log.info("webhook.sync_queued", organisation_id=str(organisation_id), runs=len(runs))
    return None


async def _when(practice_id: PracticeId, organisation: Organisation, *, feeds: int, at: datetime) -> datetime:
    live = await live_runs(practice_id, [organisation.id])
    if live:
        return max(at + _LOOK_AGAIN, *(run.resume_at or at for run in live))
    webhooks, provider = WebhookRepository.of(practice_id), organisation.provider
    last = await webhooks.last_sync(organisation.id, trigger=Trigger.WEBHOOK)
    served = await webhooks.served(provider)
    limits = await _limits(practice_id, provider)
    return host().pace.next_sync(last, limits, feeds=feeds, organisations=served, at=at)


async def _limits(practice_id: PracticeId, slug: str) -> Collection[Limit]:
    provider = host().registry.get(slug)
    app = await AppRepository.of(practice_id).of_provider(slug)
    return () if provider is None else provider.limits(None if app is None else app.tier)
