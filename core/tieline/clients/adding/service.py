"""Adding clients for organisations that a sign-in found: each made from its ledger, connected, and synced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tieline import clock
from tieline.clients.adding.decisions import AddingFacts, Addition, Unchanged, Wanted, decide_all
from tieline.clients.adding.facts import load_adding_facts
from tieline.clients.adding.repository import LedgerClient, add_many
from tieline.clients.repository import Client, ClientRepository
from tieline.connections.decisions import Asked, Decided, Step
from tieline.connections.facts import usable_sign_in
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.writing import apply
from tieline.database import scope
from tieline.errors import Invalid, Refused
from tieline.events.kinds import ClientCreated
from tieline.ids import ClientId, SignInId
from tieline.plugins import Product
from tieline.principal import Permission, Principal
from tieline.sync.runs import Trigger
from tieline.work import Work, retrying, unit_of_work

MAX_ROWS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class AddOutcome:
    """What became of one row: ADDED, ALREADY_ADDED, or the refusal's code.

    `client` is the one that was made, was there already, or stands in the way; None where the caller may not see it.
    """

    outcome: str
    client: Client | None
    connection: Connection | None
    refusal: Refused | None


@retrying
async def add_clients(
    principal: Principal, sign_in_id: SignInId, product: Product, rows: Sequence[Wanted]
) -> list[AddOutcome]:
    """A client for each organisation, connected to it: what became of each row, in their order.

    Good rows are carried out, whatever the others are; the same rows again add nothing.
    Raises Forbidden, Invalid (more than 1,000 rows), NotFound, SignInNotReady and SignInOver (of the sign-in).
    """
    _check(principal, rows)
    async with unit_of_work(principal) as work:
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        facts = await load_adding_facts(principal, sign_in, product, rows, at=work.now)
        decisions = list(zip(rows, decide_all(rows, facts), strict=True))

        good = [(row, decided) for row, decided in decisions if isinstance(decided, Addition)]
        if good:
            await _add(work, principal, good, facts)
        clients, connections = await _now(principal, product, decisions)
    return [_outcome(row, decided, clients, connections) for row, decided in decisions]


async def preview_add_clients(
    principal: Principal, sign_in_id: SignInId, product: Product, rows: Sequence[Wanted]
) -> list[AddOutcome]:
    """What `add_clients` would answer at this moment; nothing is changed or locked. Raises what it raises.

    A client that is not made yet is None, also in a row that it would stand in the way of.
    """
    _check(principal, rows)
    async with scope(principal.practice_id):
        at = clock.now()
        sign_in = await usable_sign_in(principal, sign_in_id, at=at)
        facts = await load_adding_facts(principal, sign_in, product, rows, at=at, lock=False)
        decisions = list(zip(rows, decide_all(rows, facts), strict=True))
        clients, connections = await _now(principal, product, decisions)
    return [_outcome(row, decided, clients, connections) for row, decided in decisions]


def _check(principal: Principal, rows: Sequence[Wanted]) -> None:
    principal.require(Permission.MANAGE_CONNECTIONS)
    if len(rows) > MAX_ROWS:
        raise Invalid(
            f"One request adds at most {MAX_ROWS:,} clients; this one has {len(rows):,}.", field="rows"
        )


async def _add(
    work: Work, principal: Principal, good: Sequence[tuple[Wanted, Addition]], facts: AddingFacts
) -> None:
    new = [
        LedgerClient(
            id=row.client_id,
            organisation_id=row.organisation_id,
            name=addition.name,
            is_named=row.is_named,
            team_id=row.team_id,
        )
        for row, addition in good
    ]
    made = await add_many(principal, new, at=work.now)
    for client in made:
        work.event(ClientCreated(client_id=client.id))
    connecting = replace(facts.connecting, clients={client.id: client for client in made})
    pairs = [
        (
            Asked(client_id=row.client_id, organisation_id=row.organisation_id),
            Decided(step=Step.NEW, credential_id=addition.credential_id),
        )
        for row, addition in good
    ]
    await apply(work, principal, pairs, connecting, trigger=Trigger.CONNECT)


async def _now(
    principal: Principal, product: Product, decisions: Sequence[tuple[Wanted, Addition | Unchanged]]
) -> tuple[dict[ClientId, Client], dict[ClientId, Connection]]:
    """The clients that outcomes speak of and the caller sees, and their connections of the product."""
    ids = {told for row, decided in decisions if (told := _told(row, decided)) is not None}
    clients = await ClientRepository.visible_to(principal).get_many(ids)
    standing = await ConnectionRepository.visible_to(principal).current_of_clients(ids, product)
    return {each.id: each for each in clients}, {each.client_id: each for each in standing}


def _told(row: Wanted, decided: Addition | Unchanged) -> ClientId | None:
    return row.client_id if isinstance(decided, Addition) else decided.client_id


def _outcome(
    row: Wanted,
    decided: Addition | Unchanged,
    clients: Mapping[ClientId, Client],
    connections: Mapping[ClientId, Connection],
) -> AddOutcome:
    told = _told(row, decided)
    client = clients.get(told) if told is not None else None
    if isinstance(decided, Unchanged) and decided.refusal is not None:
        refusal = decided.refusal
        return AddOutcome(outcome=refusal.code, client=client, connection=None, refusal=refusal)
    outcome = "ADDED" if isinstance(decided, Addition) else "ALREADY_ADDED"
    connection = connections.get(told) if told is not None else None
    return AddOutcome(outcome=outcome, client=client, connection=connection, refusal=None)
