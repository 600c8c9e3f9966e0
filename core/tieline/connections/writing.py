"""Decisions carried out: the rows of many connections in a few statements, with their events, syncs and releases."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tieline.connections.decisions import Asked, Decided, Facts, Step
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository, NewConnection
from tieline.connections.runs import queue_syncs, settle_runs
from tieline.connections.states import Reason, differs, names_hash
from tieline.credentials.actors import let_go_credential, release_organisation
from tieline.events.kinds import ConnectionConnected, ConnectionEnded, ConnectionExpired
from tieline.ids import ClientId, CredentialId, OrganisationId, PracticeId
from tieline.principal import Principal
from tieline.sync.runs import Trigger
from tieline.work import Work

_MADE = frozenset({Step.NEW, Step.REPLACE})
_NOT_CONNECTED = "NOT_CONNECTED"


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
    changed = await _write(work, principal, taken, facts)
    await tell_connected(work, principal, changed, trigger=trigger)
    let_go(work, principal.practice_id, _left(taken))
    return kept | {each.client_id: each for each in changed}


async def tell_connected(
    work: Work, principal: Principal, changed: Collection[Connection], *, trigger: Trigger
) -> None:
    """Record that a person has made these work, and have them synced."""
    for each in changed:
        work.event(
            ConnectionConnected(
                client_id=each.client_id,
                connection_id=each.id,
                organisation_id=each.organisation_id,
                product=each.product,
            )
        )
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
        work.event(
            ConnectionEnded(
                client_id=each.client_id,
                connection_id=each.id,
                organisation_id=each.organisation_id,
                product=each.product,
            )
        )


def record_expired(work: Work, expired: Collection[Connection], reason: Reason) -> None:
    for each in expired:
        work.hint("connection", each.id)
        work.event(
            ConnectionExpired(
                client_id=each.client_id,
                connection_id=each.id,
                organisation_id=each.organisation_id,
                product=each.product,
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
) -> list[Connection]:
    connections = ConnectionRepository.of(principal.practice_id)
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
    moved = {
        decided.standing.id: (decided.credential_id, _mismatched(row, facts, decided.standing))
        for row, decided in taken
        if decided.step is Step.RESUME and decided.standing is not None
    }
    made = await connections.add_many(new, at=work.now) if new else []
    return made + (await connections.move_many(moved, at=work.now) if moved else [])


def _mismatched(row: Asked, facts: Facts, standing: Connection | None = None) -> bool:
    """Whether the names differ, and nobody has accepted it of what stands there."""
    name, organisation = facts.clients[row.client_id].name, facts.organisations[row.organisation_id]
    if standing is not None and standing.accepted_names == names_hash(name, organisation.name):
        return False
    return differs(name, organisation.name, organisation.legal_name)
