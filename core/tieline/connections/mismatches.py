"""Whether names agree, kept true: computed anew whenever a client's or an organisation's name changes."""

from __future__ import annotations

from collections.abc import Collection

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository, Named
from tieline.connections.states import differs
from tieline.events.kinds import ConnectionMismatchChanged
from tieline.ids import ClientId, OrganisationId, PracticeId
from tieline.work import Work


async def remismatch_organisations(
    work: Work, practice_id: PracticeId, organisation_ids: Collection[OrganisationId]
) -> list[Connection]:
    """Look again at the current connections of these organisations, which are locked: those that changed."""
    named = await ConnectionRepository.of(practice_id).named(organisation_ids=organisation_ids)
    return await _write(work, practice_id, named)


async def remismatch_client(work: Work, practice_id: PracticeId, client_id: ClientId) -> list[Connection]:
    """Look again at the current connections of this client, which is locked: those that changed."""
    connections = ConnectionRepository.of(practice_id)
    current = await connections.current_of_clients([client_id])
    if not current:
        return []
    # Held against whoever changes their names at this moment, before the names are read.
    await OrganisationRepository.of(practice_id).lock({each.organisation_id for each in current})
    return await _write(work, practice_id, await connections.named(client_ids=[client_id]))


async def _write(work: Work, practice_id: PracticeId, named: list[Named]) -> list[Connection]:
    found = {each.id: differs(each.client_name, each.organisation_name, each.legal_name) for each in named}
    flags = {each.id: found[each.id] for each in named if found[each.id] != each.mismatch}
    if not flags:
        return []
    changed = await ConnectionRepository.of(practice_id).set_mismatch(flags, at=work.now)
    for each in changed:
        work.event(
            ConnectionMismatchChanged(
                client_id=each.client_id,
                connection_id=each.id,
                organisation_id=each.organisation_id,
                product=each.product,
                mismatch=each.mismatch,
            )
        )
    return changed
