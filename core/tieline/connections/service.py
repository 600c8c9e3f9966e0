"""What callers do with connections: connect one or many, reconnect, disconnect, accept a mismatch, look."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tieline import clock
from tieline.connections.decisions import (
    Asked,
    Decided,
    Facts,
    Step,
    decide,
    decide_all,
    in_use,
    refused_reach,
)
from tieline.connections.facts import load_facts, usable_sign_in
from tieline.connections.mismatches import accept_names
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.permitted import permitted
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.runs import settle_runs
from tieline.connections.states import Reason, Status
from tieline.connections.writing import apply, release
from tieline.database import scope
from tieline.errors import DifferentOrganisation, Invalid, NotFound, Refused
from tieline.events.kinds import ConnectionDisconnected, of_connection
from tieline.ids import ClientId, ConnectionId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline.principal import Permission, Principal
from tieline.sync.runs import Trigger
from tieline.work import retrying, unit_of_work

MAX_ROWS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RowOutcome:
    """What became of one row: CONNECTED, ALREADY_CONNECTED, or the refusal's code."""

    asked: Asked
    connection: Connection | None
    refusal: Refused | None
    outcome: str


@retrying
async def connect(
    principal: Principal,
    sign_in_id: SignInId,
    *,
    client_id: ClientId,
    product: Product,
    organisation_id: OrganisationId,
) -> Connection:
    """Connect a client to an organisation that the caller's sign-in reaches; harmless when it is so already.

    Raises NotFound, Forbidden, SignInNotReady, SignInOver, NotInThisLogin, ConsentTooNarrow, OrganisationInUse
    and DifferentOrganisation.
    """
    row = Asked(client_id=client_id, organisation_id=organisation_id)
    async with unit_of_work(principal) as work:
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        facts = await load_facts(principal, sign_in, product, [row], at=work.now)
        decided = decide(row, facts)
        if isinstance(decided, Refused):
            raise decided

        connections = await apply(work, principal, [(row, decided)], facts, trigger=Trigger.CONNECT)
    return connections[client_id]


@retrying
async def bulk_connect(
    principal: Principal, sign_in_id: SignInId, product: Product, rows: Sequence[Asked]
) -> list[RowOutcome]:
    """Connect many at once: what became of each row, in their order. Good rows are connected, whatever the others are.

    Raises Invalid (more than 1,000 rows), NotFound, SignInNotReady and SignInOver (of the sign-in).
    """
    _check_size(rows)
    async with unit_of_work(principal) as work:
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        facts = await load_facts(principal, sign_in, product, rows, at=work.now)
        decisions = list(zip(rows, decide_all(rows, facts), strict=True))

        good = [(row, decided) for row, decided in decisions if isinstance(decided, Decided)]
        connections = await apply(work, principal, good, facts, trigger=Trigger.CONNECT)
    return [_outcome(row, decided, connections) for row, decided in decisions]


async def preview_bulk_connect(
    principal: Principal, sign_in_id: SignInId, product: Product, rows: Sequence[Asked]
) -> list[RowOutcome]:
    """What `bulk_connect` would answer at this moment; nothing is changed or locked. Raises what it raises.

    `connection` is the client's as it stands now, also where another one would take its place.
    """
    _check_size(rows)
    async with scope(principal.practice_id):
        at = clock.now()
        sign_in = await usable_sign_in(principal, sign_in_id, at=at)
        facts = await load_facts(principal, sign_in, product, rows, at=at, lock=False)
    return [
        _outcome(row, each, facts.current) for row, each in zip(rows, decide_all(rows, facts), strict=True)
    ]


@retrying
async def reconnect(principal: Principal, connection_id: ConnectionId, sign_in_id: SignInId) -> Connection:
    """Hang a connection on the caller's sign-in, so that it works again; nothing else of it changes.

    Raises NotFound, Forbidden, SignInNotReady, SignInOver, DifferentOrganisation, NotInThisLogin,
    ConsentTooNarrow and OrganisationInUse.
    """
    async with unit_of_work(principal) as work:
        found = await permitted(principal, connection_id, Permission.MANAGE_CONNECTIONS)
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        row = Asked(client_id=found.client_id, organisation_id=found.organisation_id)
        facts = await load_facts(principal, sign_in, found.product, [row], at=work.now)
        standing = _still(connection_id, facts.current.get(found.client_id))
        _check_reconnect(standing, facts)
        reach = facts.reached[standing.organisation_id]
        if standing.reason is None and standing.credential_id == reach.credential_id:
            return standing

        decided = Decided(step=Step.RESUME, credential_id=reach.credential_id, standing=standing)
        connections = await apply(work, principal, [(row, decided)], facts, trigger=Trigger.RECONNECT)
    return connections[standing.client_id]


@retrying
async def disconnect(principal: Principal, connection_id: ConnectionId) -> Connection:
    """Stop using the organisation. The client's data stays until the client is deleted.

    Raises NotFound and Forbidden; a connection that is disconnected already stays as it is.
    """
    async with unit_of_work(principal) as work:
        found = await permitted(principal, connection_id, Permission.MANAGE_CONNECTIONS)
        organisations = OrganisationRepository.of(principal.practice_id)
        await organisations.lock([found.organisation_id])
        connections = ConnectionRepository.of(principal.practice_id)
        locked = await connections.lock([connection_id])
        standing = _still(connection_id, locked[0] if locked else None)
        if standing.reason is Reason.DISCONNECTED:
            return standing

        changed = await connections.disconnect(connection_id, at=work.now)
        await organisations.clear_unheld([changed.organisation_id])
        await settle_runs(work, principal.practice_id, [changed.organisation_id], reason=Reason.DISCONNECTED)
        work.event(ConnectionDisconnected(**of_connection(changed)))
        release(work, [changed])
    return changed


@retrying
async def accept_mismatch(principal: Principal, connection_id: ConnectionId) -> Connection:
    """Let the names of the client and its organisation differ, until either of them changes.

    Raises NotFound and Forbidden; a connection that is no mismatch stays as it is, and so does one that is EXPIRED:
    nobody accepts what is not shown.
    """
    async with unit_of_work(principal) as work:
        found = await permitted(principal, connection_id, Permission.MANAGE_CONNECTIONS)
        await OrganisationRepository.of(principal.practice_id).lock([found.organisation_id])
        locked = await ConnectionRepository.of(principal.practice_id).lock([connection_id])
        standing = _still(connection_id, locked[0] if locked else None)
        changed = await accept_names(work, standing) if standing.status is Status.MISMATCH else []
    return changed[0] if changed else standing


async def get_connection(principal: Principal, connection_id: ConnectionId) -> Connection:
    """A connection, current or ended, of a client that the caller sees. Raises NotFound."""
    async with scope(principal.practice_id):
        found = await ConnectionRepository.visible_to(principal).get(connection_id)
    if found is None:
        raise NotFound("connection", connection_id, field="id")
    return found


async def get_connections(principal: Principal, ids: Collection[ConnectionId]) -> list[Connection]:
    """Those of these, current or ended, whose clients the caller sees."""
    async with scope(principal.practice_id):
        return await ConnectionRepository.visible_to(principal).get_many(ids)


async def connections_of_clients(
    principal: Principal, client_ids: Collection[ClientId]
) -> dict[ClientId, list[Connection]]:
    """The current connections of those of these clients that the caller sees, by product."""
    async with scope(principal.practice_id):
        found = await ConnectionRepository.visible_to(principal).current_of_clients(client_ids)
    by_client: dict[ClientId, list[Connection]] = {client_id: [] for client_id in client_ids}
    for connection in sorted(found, key=lambda each: each.product):
        by_client[connection.client_id].append(connection)
    return by_client


async def get_organisations(
    principal: Principal, ids: Collection[OrganisationId]
) -> dict[OrganisationId, Organisation]:
    """Those of these that the caller may know of: through a visible client, or a sign-in of its own."""
    async with scope(principal.practice_id):
        found = await OrganisationRepository.of(principal.practice_id).visible_to(principal, ids)
    return {organisation.id: organisation for organisation in found}


def _still(connection_id: ConnectionId, standing: Connection | None) -> Connection:
    """What the lock found, if it is the connection that was asked for. Raises NotFound: it ended in between."""
    if standing is None or standing.id != connection_id or standing.ended_at is not None:
        raise NotFound("connection", connection_id, field="connectionId")
    return standing


def _check_reconnect(standing: Connection, facts: Facts) -> None:
    organisation_id = standing.organisation_id
    is_known = organisation_id in facts.reached or organisation_id in facts.over
    if not is_known and facts.consented - {organisation_id}:
        raise DifferentOrganisation(standing.organisation_name, field="signInId")
    refusal = refused_reach(organisation_id, facts, field="signInId")
    if refusal is not None:
        raise refusal
    serving = facts.organisations[organisation_id].client_id
    if serving is not None and serving != standing.client_id:
        raise in_use(organisation_id, serving, facts, field="signInId")


def _check_size(rows: Sequence[Asked]) -> None:
    if len(rows) > MAX_ROWS:
        raise Invalid(
            f"One request connects at most {MAX_ROWS:,} clients; this one has {len(rows):,}.", field="rows"
        )


def _outcome(
    row: Asked, decided: Decided | Refused, connections: Mapping[ClientId, Connection]
) -> RowOutcome:
    if isinstance(decided, Refused):
        return RowOutcome(asked=row, connection=None, refusal=decided, outcome=decided.code)
    outcome = "ALREADY_CONNECTED" if decided.step is Step.KEEP else "CONNECTED"
    return RowOutcome(asked=row, connection=connections.get(row.client_id), refusal=None, outcome=outcome)
