"""Whether names agree, kept true: computed anew whenever a client's or an organisation's name changes.

Names that differ may be accepted; a hash of them says which two it was about.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository, Named
from tieline.connections.states import differs, names_hash
from tieline.events.kinds import ConnectionMismatchChanged, of_connection
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


async def accept_names(work: Work, connection: Connection) -> list[Connection]:
    """Let the names of a client and its locked organisation differ until either changes: the connection, if it did."""
    connections = ConnectionRepository.of(connection.practice_id)
    named = await connections.named(client_ids=[connection.client_id])
    accepted = [
        replace(each, accepted_names=names_hash(each.client_name, each.organisation_name))
        for each in named
        if each.id == connection.id and each.mismatch
    ]
    return await _write(work, connection.practice_id, accepted)


async def _write(work: Work, practice_id: PracticeId, named: list[Named]) -> list[Connection]:
    """Those that are a mismatch now and were not, or the other way round."""
    before = {each.id: each.mismatch for each in named}
    looked = {each.id: _looked_at(each) for each in named}
    flags = {
        each.id: looked[each.id] for each in named if looked[each.id] != (each.mismatch, each.accepted_names)
    }
    if not flags:
        return []
    written = await ConnectionRepository.of(practice_id).set_mismatch(flags, at=work.now)
    changed = [each for each in written if each.mismatch != before[each.id]]
    for each in changed:
        work.event(
            ConnectionMismatchChanged(
                **of_connection(each),
                mismatch=each.mismatch,
            )
        )
    return changed


def _looked_at(named: Named) -> tuple[bool, str | None]:
    """Whether it is a mismatch, and what of an acceptance is left: nothing once a name has changed."""
    accepted = named.accepted_names
    if accepted != names_hash(named.client_name, named.organisation_name):
        accepted = None
    differ = differs(named.client_name, named.organisation_name, named.legal_name)
    return differ and accepted is None, accepted
