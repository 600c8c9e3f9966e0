"""Removing a deleted client, step by step: cut off anywhere, the next run goes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tieline import clock
from tieline.clients.purging.repository import PurgeRepository
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.writing import release_key
from tieline.credentials.actors import release_at_provider, release_organisation
from tieline.events.kinds import ClientPurged
from tieline.ids import ClientId, CredentialId, OrganisationId, PracticeId
from tieline.principal import Principal
from tieline.work import Again, retrying, unit_of_work

BATCH = 1_000
_PATIENCE = timedelta(minutes=10)
_AT_MOST = timedelta(days=1)


async def purge(practice_id: PracticeId, client_id: ClientId) -> Again | None:
    """Remove all of a deleted client but its events; again later while its organisations are still being released."""
    for batch in (_purge_batch, _purge_records):
        while await batch(practice_id, client_id):
            pass
    return None if await _purge_rest(practice_id, client_id) else Again(clock.now() + _PATIENCE)


@retrying
async def _purge_batch(practice_id: PracticeId, client_id: ClientId) -> bool:
    """Whether there may be more of what comes in great numbers."""
    async with unit_of_work(Principal.machine(practice_id)):
        rows = PurgeRepository.of(practice_id, client_id)
        return await rows.lock() and await rows.delete_batch(BATCH) > 0


@retrying
async def _purge_records(practice_id: PracticeId, client_id: ClientId) -> bool:
    """Whether there may be more of what was read of organisations that have no other client."""
    async with unit_of_work(Principal.machine(practice_id)):
        rows = PurgeRepository.of(practice_id, client_id)
        if not await rows.lock():
            return False
        known = {organisation_id for _, organisation_id in await rows.uses()}
        await OrganisationRepository.of(practice_id).lock(known)
        return await rows.delete_records(known, BATCH) > 0


@retrying
async def _purge_rest(practice_id: PracticeId, client_id: ClientId) -> bool:
    """The rest, its organisations and the client itself, all or nothing, with the event; whether it is all gone."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        rows = PurgeRepository.of(practice_id, client_id)
        if not await rows.lock():
            return True
        uses = await rows.uses()
        # What is not released yet has to be known until it is; after a day its organisation is left to the sweep.
        if await rows.waits_for(_releases(uses), work.now - _AT_MOST):
            return False

        await rows.free_sign_ins()
        organisations = OrganisationRepository.of(practice_id)
        known = {organisation_id for _, organisation_id in uses}
        await organisations.lock(known)
        connections = await rows.delete_connections()
        deleted = await organisations.delete_unused(known, at=work.now)
        await rows.delete_client()
        work.event(ClientPurged(client_id=client_id, connections=connections, organisations=deleted))
    return True


def _releases(uses: Iterable[tuple[CredentialId, OrganisationId]]) -> list[str]:
    return [
        f"{actor.name}:{release_key(*use)}"
        for use in uses
        for actor in (release_organisation, release_at_provider)
    ]
