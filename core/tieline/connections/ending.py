"""The end of all connections of a client that is deleted."""

from __future__ import annotations

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.states import Reason
from tieline.connections.writing import record_ends, release
from tieline.ids import ClientId, PracticeId
from tieline.sync.queueing import stop
from tieline.work import Work

_CANCELLED = "CLIENT_DELETED"


async def end_connections(work: Work, practice_id: PracticeId, client_id: ClientId) -> list[Connection]:
    """End what is current of a locked client, free its organisations and stop their syncs: what ended."""
    connections = ConnectionRepository.of(practice_id)
    organisations = OrganisationRepository.of(practice_id)
    standing = await connections.current_of_clients([client_id])
    if not standing:
        return []
    held = {each.organisation_id for each in standing}
    await organisations.lock(held)
    ended = await connections.end_many([each.id for each in standing], at=work.now)
    freed = await organisations.clear_unheld(held)
    await stop(work, practice_id, organisation_ids=freed, reason=_CANCELLED)
    record_ends(work, ended)
    release(work, [each for each in ended if each.reason is not Reason.DISCONNECTED])
    return ended
