"""Moving a client's product from one organisation to another, of the same provider or not."""

from __future__ import annotations

from tieline.connections.decisions import Asked, decide
from tieline.connections.facts import load_facts, usable_sign_in
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.writing import apply
from tieline.errors import NotFound, Refused
from tieline.ids import ConnectionId, OrganisationId, SignInId
from tieline.principal import Principal
from tieline.sync.runs import Trigger
from tieline.work import retrying, unit_of_work


@retrying
async def change_connection(
    principal: Principal, connection_id: ConnectionId, sign_in_id: SignInId, organisation_id: OrganisationId
) -> Connection:
    """End the connection, whose books are kept, and have one to another organisation stand in its place.

    To its own organisation it is a connect: what works stays, what is EXPIRED works again. Said once more, the one
    that stands there by now is the answer.

    Raises NotFound, Forbidden, SignInNotReady, SignInOver, NotInThisLogin, ConsentTooNarrow and OrganisationInUse.
    """
    async with unit_of_work(principal) as work:
        named = await ConnectionRepository.visible_to(principal).get(connection_id)
        if named is None:
            raise NotFound("connection", connection_id, field="connectionId")
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        row = Asked(client_id=named.client_id, organisation_id=organisation_id)
        facts = await load_facts(
            principal, sign_in, named.product, [row], at=work.now, also=[named.organisation_id]
        )
        standing = facts.current.get(named.client_id)
        if standing is None or (standing.id != named.id and standing.organisation_id != organisation_id):
            raise NotFound("connection", connection_id, field="connectionId")
        decided = decide(row, facts, moves=True)
        if isinstance(decided, Refused):
            raise decided

        connections = await apply(work, principal, [(row, decided)], facts, trigger=Trigger.CONNECT)
    return connections[named.client_id]
