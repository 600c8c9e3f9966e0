"""Every other action than connecting, by a colleague's sign-in, or for what another practice has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.sign_ins.hostile.table import Family, Fault, Scene, refusal_of
from tieline.clients.adding.decisions import Wanted
from tieline.clients.adding.service import add_clients
from tieline.connections.changing import change_connection
from tieline.connections.decisions import Asked
from tieline.connections.moving.decisions import Outcome
from tieline.connections.moving.service import reassign, reconnect_all
from tieline.connections.repository import Connection
from tieline.connections.service import bulk_connect, reconnect
from tieline.connections.states import Reason
from tieline.errors import TielineError
from tieline.ids import ClientId, OrganisationId, SignInId, new_id
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sign_ins.service import NewSignIn, continue_sign_in, start_sign_in
from tieline.sign_ins.states import Purpose

BAKERY, COBALT = "Ashford Bakery Ltd", "Cobalt Studio"
TAKEN = frozenset({Outcome.REASSIGNED, Outcome.ALREADY_YOURS})
Do = Callable[[Principal, SignInId, Connection, OrganisationId], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A sign-in of the victim's, a broken connection that it reaches, and another practice's to the same books."""

    sign_in_id: SignInId
    connection: Connection
    free: OrganisationId
    theirs: Connection
    colleague: Principal


async def standing(scene: Scene) -> Standing:
    other = await scene.elsewhere()
    abroad = (await other.found((await other.ready(scene.kim)).id))[BAKERY]
    theirs = await other.connect(abroad[0], abroad[1], reason=Reason.ACCESS_LOST)
    sign_in_id, organisations = await scene.ready()
    connection = await scene.connected(sign_in_id, BAKERY, reason=Reason.ACCESS_LOST)
    return Standing(
        sign_in_id=sign_in_id,
        connection=connection,
        free=organisations[COBALT],
        theirs=theirs,
        colleague=await scene.colleague(),
    )


def by_a_colleague(name: str, do: Do) -> Fault[Standing]:
    return Fault(
        name=name,
        refused="NOT_FOUND",
        act=lambda _, it: do(it.colleague, it.sign_in_id, it.connection, it.free),
    )


def abroad(name: str, do: Do) -> Fault[Standing]:
    return Fault(
        name=name,
        refused="NOT_FOUND",
        act=lambda scene, it: do(scene.victim, it.sign_in_id, it.theirs, it.free),
    )


def by_the_victim(do: Do) -> Callable[[Scene, Standing], Awaitable[str | None]]:
    return lambda scene, it: do(scene.victim, it.sign_in_id, it.connection, it.free)


async def _bulk(who: Principal, sign_in_id: SignInId, to: Connection, _: OrganisationId) -> str | None:
    async def asked() -> str | None:
        row = Asked(client_id=to.client_id, organisation_id=to.organisation_id)
        [done] = await bulk_connect(who, sign_in_id, Product.BOOKKEEPING, [row])
        return None if done.refusal is None else done.refusal.code

    return await answered(asked())


async def _add(who: Principal, sign_in_id: SignInId, _: Connection, free: OrganisationId) -> str | None:
    async def asked() -> str | None:
        row = Wanted(client_id=ClientId(new_id()), organisation_id=free)
        [done] = await add_clients(who, sign_in_id, Product.BOOKKEEPING, [row])
        return None if done.refusal is None else done.refusal.code

    return await answered(asked())


async def _reassign(who: Principal, sign_in_id: SignInId, to: Connection, _: OrganisationId) -> str | None:
    async def asked() -> str | None:
        [done] = await reassign(who, sign_in_id, [to.id])
        return None if done.outcome in TAKEN else str(done.outcome)

    return await answered(asked())


async def _change(who: Principal, sign_in_id: SignInId, to: Connection, free: OrganisationId) -> str | None:
    return await refusal_of(change_connection(who, to.id, sign_in_id, free))


async def _reconnect(who: Principal, sign_in_id: SignInId, to: Connection, _: OrganisationId) -> str | None:
    return await refusal_of(reconnect(who, to.id, sign_in_id))


async def _reconnect_all(who: Principal, sign_in_id: SignInId, *_: object) -> str | None:
    return await refusal_of(reconnect_all(who, sign_in_id))


async def _go_on(who: Principal, sign_in_id: SignInId, to: Connection, _: OrganisationId) -> str | None:
    return await refusal_of(continue_sign_in(who, sign_in_id, to.id))


async def _begin(who: Principal, _: SignInId, to: Connection, __: OrganisationId) -> str | None:
    asked = NewSignIn(provider="xero", purpose=Purpose.RECONNECT, connection_id=to.id)
    return await refusal_of(start_sign_in(who, asked))


async def answered(asked: Awaitable[str | None]) -> str | None:
    """The code of the row's outcome, or that of the whole."""
    try:
        return await asked
    except TielineError as error:
        return error.code


OTHERS = Family(
    name="other actions",
    stage=standing,
    faults=(
        by_a_colleague("a colleague who reconnects by it", _reconnect),
        by_a_colleague("a colleague who reconnects all by it", _reconnect_all),
        by_a_colleague("a colleague who reassigns to it", _reassign),
        by_a_colleague("a colleague who connects many with it", _bulk),
        by_a_colleague("a colleague who goes on with it for a connection", _go_on),
        by_a_colleague("a colleague who changes a connection by it", _change),
        abroad("reconnecting what is another practice's", _reconnect),
        abroad("reassigning what is another practice's", _reassign),
        abroad("connecting many for another practice's clients", _bulk),
        abroad("beginning for what is another practice's", _begin),
        abroad("going on for what is another practice's", _go_on),
        abroad("changing what is another practice's", _change),
    ),
    twins=tuple(
        by_the_victim(do) for do in (_reconnect, _reconnect_all, _reassign, _bulk, _begin, _go_on, _change)
    ),
)
ADDING = Family(
    name="adding",
    stage=standing,
    faults=(by_a_colleague("a colleague who adds clients with it", _add),),
    twins=(by_the_victim(_add),),
)
