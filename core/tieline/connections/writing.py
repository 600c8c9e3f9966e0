"""Decisions carried out: the rows of many connections in a few statements, with their events, syncs and releases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tieline.connections.decisions import Asked, Decided, Facts, Step
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository, NewConnection
from tieline.connections.runs import queue_syncs, settle_runs
from tieline.connections.states import MENDS_ITSELF, Reason, differs, names_hash
from tieline.credentials.actors import let_go_credential, release_organisation
from tieline.credentials.looks import look_at_once
from tieline.events.kinds import (
    ConnectionConnected,
    ConnectionEnded,
    ConnectionExpired,
    ConnectionHandedOver,
    of_connection,
)
from tieline.ids import ClientId, CredentialId, OrganisationId, PracticeId
from tieline.principal import Principal
from tieline.sync.runs import Trigger
from tieline.work import Work

_MADE = frozenset({Step.NEW, Step.REPLACE})
_NOT_CONNECTED = "NOT_CONNECTED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A connection as it was, the credential that it is to hang on, and whether its names differ."""

    connection: Connection
    credential_id: CredentialId
    mismatch: bool


async def apply(
    work: Work,
    principal: Principal,
    good: Sequence[tuple[Asked, Decided]],
    facts: Facts,
    *,
    trigger: Trigger,
) -> dict[ClientId, Connection]:
    """Carry out what was decided, under the locks that the facts were read with: each client's connection."""
    kept = {row.client_id: decided.standing for row, decided in good if decided.standing is not None}
    taken = [(row, decided) for row, decided in good if decided.step is not Step.KEEP]
    if not taken:
        return kept
    await _end(work, principal, [decided.standing for _, decided in taken if decided.step is Step.REPLACE])
    served = {row.organisation_id: row.client_id for row, _ in taken}
    await OrganisationRepository.of(principal.practice_id).set_client(served)
    made, moved = await _write(work, principal, taken, facts)
    await tell_connected(work, principal, made, trigger=trigger)
    changed = made + await hang(work, principal, moved, trigger=trigger)
    let_go(work, principal.practice_id, _left(taken))
    return kept | {each.client_id: each for each in changed}


async def hang(
    work: Work,
    principal: Principal,
    moved: Collection[Moved],
    *,
    trigger: Trigger,
) -> list[Connection]:
    """Hang each on its credential, so that it works again. All is locked.

    What was bad because the books could not be opened stays so until they can be, which is tried at once.
    """
    if not moved:
        return []
    changed = await ConnectionRepository.of(principal.practice_id).move_many(
        {each.connection.id: (each.credential_id, each.mismatch) for each in moved},
        at=work.now,
        keeping=MENDS_ITSELF,
    )
    left = {each.connection.id for each in moved if each.connection.credential_id != each.credential_id}
    await tell_connected(work, principal, [each for each in changed if each.reason is None], trigger=trigger)
    shut = [each for each in changed if each.reason is not None]
    record_handed(work, [each for each in shut if each.id in left])
    try_at_once(work, principal.practice_id, {each.credential_id for each in shut})
    return changed


def try_at_once(work: Work, practice_id: PracticeId, credential_ids: Collection[CredentialId]) -> None:
    """Try now, and not only by the daily look, what of these credentials could not be opened."""
    for credential_id in credential_ids:
        look_at_once(work, practice_id, credential_id, due_at=work.now)


async def tell_connected(
    work: Work, principal: Principal, changed: Collection[Connection], *, trigger: Trigger
) -> None:
    """Record that a person has made these work, and have them synced."""
    if not changed:
        return
    for each in changed:
        work.event(ConnectionConnected(**of_connection(each)))
    await queue_syncs(work, principal.practice_id, changed, trigger=trigger, person_id=principal.person_id)


def let_go(work: Work, practice_id: PracticeId, left: Collection[CredentialId]) -> None:
    """What connections hung on before is let go of, unless something else uses it: the job looks itself."""
    for credential_id in left:
        work.enqueue(
            let_go_credential,
            key=str(credential_id),
            practice_id=str(practice_id),
            credential_id=str(credential_id),
        )


def record_ends(work: Work, ended: Collection[Connection]) -> None:
    for each in ended:
        work.event(ConnectionEnded(**of_connection(each)))


def record_handed(work: Work, handed: Collection[Connection]) -> None:
    for each in handed:
        work.hint("connection", each.id)
        work.event(ConnectionHandedOver(**of_connection(each)))


def record_expired(work: Work, expired: Collection[Connection], reason: Reason) -> None:
    for each in expired:
        work.hint("connection", each.id)
        work.event(
            ConnectionExpired(
                **of_connection(each),
                reason=reason,
            )
        )


def release(work: Work, connections: Collection[Connection]) -> None:
    """Have their organisations released at the provider, where nothing else uses them through that credential."""
    for each in connections:
        work.enqueue(
            release_organisation,
            key=release_key(each.credential_id, each.organisation_id),
            practice_id=str(each.practice_id),
            credential_id=str(each.credential_id),
            organisation_id=str(each.organisation_id),
        )


def release_key(credential_id: CredentialId, organisation_id: OrganisationId) -> str:
    """What makes it one job for a credential and an organisation."""
    return f"{credential_id}:{organisation_id}"


def _left(taken: Sequence[tuple[Asked, Decided]]) -> set[CredentialId]:
    return {
        decided.standing.credential_id
        for _, decided in taken
        if decided.standing is not None and decided.standing.credential_id != decided.credential_id
    }


async def _end(work: Work, principal: Principal, replaced: Sequence[Connection | None]) -> None:
    """End them; what was not disconnected before is let go of like something that is disconnected."""
    ids = [each.id for each in replaced if each is not None]
    if not ids:
        return
    ended = await ConnectionRepository.of(principal.practice_id).end_many(ids, at=work.now)
    record_ends(work, ended)
    left = [each for each in ended if each.reason is not Reason.DISCONNECTED]
    if left:
        organisations = {each.organisation_id for each in left}
        await OrganisationRepository.of(principal.practice_id).clear_unheld(organisations)
        await settle_runs(work, principal.practice_id, organisations, reason=_NOT_CONNECTED)
        release(work, left)


async def _write(
    work: Work, principal: Principal, taken: Sequence[tuple[Asked, Decided]], facts: Facts
) -> tuple[list[Connection], list[Moved]]:
    """What is new, which is written, and what is to hang on a credential anew."""
    new = [
        NewConnection(
            client_id=row.client_id,
            product=facts.product,
            organisation_id=row.organisation_id,
            credential_id=decided.credential_id,
            mismatch=_mismatched(row, facts),
        )
        for row, decided in taken
        if decided.step in _MADE
    ]
    moved = [
        Moved(
            connection=decided.standing,
            credential_id=decided.credential_id,
            mismatch=_mismatched(row, facts, decided.standing),
        )
        for row, decided in taken
        if decided.step is Step.RESUME and decided.standing is not None
    ]
    connections = ConnectionRepository.of(principal.practice_id)
    return (await connections.add_many(new, at=work.now) if new else []), moved


def _mismatched(row: Asked, facts: Facts, standing: Connection | None = None) -> bool:
    """Whether the names differ, and nobody has accepted it of what stands there."""
    name, organisation = facts.clients[row.client_id].name, facts.organisations[row.organisation_id]
    if standing is not None and standing.accepted_names == names_hash(name, organisation.name):
        return False
    return differs(name, organisation.name, organisation.legal_name)
