"""What callers do with sign-ins: start one, go on with it, complete it, look at it and at what it found.

start ── authorization URL ── browser ── answer_consent ── proof ── complete ── READY, for a day
  ▲                                                                                │
  └────────────────────────────── continue: another round ◄────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from tieline import clock
from tieline.clients.repository import ClientRepository
from tieline.connections.moving.repository import BrokenRepository
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.states import differs
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.giving_back.repository import GivingBackRepository
from tieline.credentials.giving_back.service import until_over
from tieline.database import scope
from tieline.errors import BulkConnectUnsupported, Invalid, NotFound, ProviderNotConfigured
from tieline.host import host
from tieline.ids import ConnectionId, CredentialId, PersonId, SignInId, new_id
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.plugins import Product, Provider
from tieline.practices.repository import PracticeRepository
from tieline.principal import Permission, Principal
from tieline.sign_ins.addresses import checked_return_url
from tieline.sign_ins.completion import complete_sign_in
from tieline.sign_ins.consent import answer_consent
from tieline.sign_ins.models import SignInRow
from tieline.sign_ins.prompting import Reach, find_reach, take_instead, take_reach
from tieline.sign_ins.repository import FoundOrganisation, SignIn, SignInRepository
from tieline.sign_ins.returns import ConsentAnswer
from tieline.sign_ins.rights import own_sign_in, person_of, require_some_client
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.states import LIFE, Purpose, SignInState, over, state_at
from tieline.sign_ins.trips import begin_round
from tieline.sign_ins.wanted import wanted_organisation
from tieline.work import retrying, unit_of_work

__all__ = [
    "ConsentAnswer",
    "FoundInSignIn",
    "NewSignIn",
    "SignIn",
    "Started",
    "answer_consent",
    "complete_sign_in",
    "continue_sign_in",
    "get_sign_in",
    "list_organisations",
    "start_sign_in",
]

Ahead: TypeAlias = Collection[UUID]
"""What is being given back at the provider when somebody is to be sent there."""

_SLUG_LENGTH = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSignIn:
    """What a person wants to sign in for. `connection_id` belongs to RECONNECT.

    RECONNECT and RECONNECT_ALL may leave products out: they take those of what is to be reconnected.
    """

    provider: str
    purpose: Purpose
    products: tuple[Product, ...] = ()
    connection_id: ConnectionId | None = None
    return_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """A sign-in, and where the browser goes for it; nowhere when it is READY at once."""

    sign_in: SignIn
    authorization_url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundInSignIn:
    """An organisation that a sign-in reaches. `consented`: a round of this sign-in was about it.

    `is_own_books`: it is called as the practice is, and so may be no client's.
    """

    organisation: Organisation
    credential_id: CredentialId
    consented: bool
    is_own_books: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """A sign-in that may be started. `mends` is what it has to reach, None for what is no reconnecting."""

    app: App
    provider: Provider
    products: tuple[Product, ...]
    mends: tuple[Connection, ...] | None


async def start_sign_in(principal: Principal, new: NewSignIn) -> Started:
    """Begin to sign in; READY at once where a live credential of the caller's reaches already what is to be mended.

    Raises Forbidden, Invalid, NotFound (provider, connection), ProviderNotConfigured, BulkConnectUnsupported and Busy.
    """
    person_id = person_of(principal)
    plan = await _plan(principal, new)
    started, ahead = await _start(principal, person_id, new, plan, await _reach(person_id, plan))
    if not ahead:
        return started
    await until_over(principal.practice_id, ahead)
    # What was reached before may have been given back meanwhile.
    reach = await _reach(person_id, plan)
    if reach is None or not await take_instead(principal, started.sign_in.id, plan.app, reach):
        return started
    return Started(sign_in=await get_sign_in(principal, started.sign_in.id), authorization_url=None)


async def continue_sign_in(
    principal: Principal, sign_in_id: SignInId, connection_id: ConnectionId | None = None
) -> Started:
    """Add a round to the caller's sign-in, perhaps for a connection; what it has found stays, and usable meanwhile.

    Raises Forbidden, Invalid, NotFound (sign-in, connection), SignInOver, ProviderNotConfigured and Busy.
    """
    started, ahead = await _continue(principal, sign_in_id, connection_id)
    await until_over(principal.practice_id, ahead)
    return started


@retrying
async def _continue(
    principal: Principal, sign_in_id: SignInId, connection_id: ConnectionId | None
) -> tuple[Started, Ahead]:
    """The round is open from here on, so nothing is given back after what is under way."""
    async with unit_of_work(principal) as work:
        sign_in = await own_sign_in(principal, sign_in_id, lock=True)
        await require_some_client(principal)
        if _shown(sign_in, work.now).state is SignInState.EXPIRED or sign_in.created_at + LIFE <= work.now:
            raise over(SignInState.EXPIRED, None, field="id")
        if connection_id is not None:
            await _check_meant(principal, sign_in, connection_id)
        provider = _provider(sign_in.provider, field="id")
        app = await AppRepository.of(principal.practice_id).get(sign_in.app_id)
        if app is None:
            raise ProviderNotConfigured(provider.info.name, field="id")
        ahead = await GivingBackRepository.of(principal.practice_id).hold_off(app.id)

        await RoundRepository.of(principal.practice_id).close_open(sign_in.id, at=work.now)
        url = await begin_round(
            work,
            sign_in.person_id,
            sign_in.id,
            app,
            provider,
            sign_in.products,
            preselect=await wanted_organisation(app, connection_id or sign_in.connection_id),
            connection_id=connection_id,
        )
        sign_ins = SignInRepository.of(principal.practice_id)
        await sign_ins.set_state(sign_in.id, SignInState.STARTED, at=work.now)
        work.hint("sign_in", sign_in.id)
        return Started(sign_in=await own_sign_in(principal, sign_in_id), authorization_url=url), ahead


async def get_sign_in(principal: Principal, sign_in_id: SignInId) -> SignIn:
    """The caller's own sign-in. Raises NotFound."""
    async with scope(principal.practice_id):
        return _shown(await own_sign_in(principal, sign_in_id), clock.now())


async def list_organisations(
    principal: Principal, sign_in_id: SignInId, *, first: int | None = None, after: str | None = None
) -> Page[FoundInSignIn]:
    """A page of what the caller's sign-in found, by name. Raises NotFound, Invalid and CursorInvalid."""
    listed = list_of("sign_in_organisations", principal.practice_id, sign_in_id)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        await own_sign_in(principal, sign_in_id)
        page = await SignInRepository.of(principal.practice_id).organisation_page(
            sign_in_id, after=start, first=size, listed=listed
        )
        ids = [found.organisation_id for found in page.rows]
        known = {one.id: one for one in await OrganisationRepository.of(principal.practice_id).get_many(ids)}
        practice = await PracticeRepository.of(principal.practice_id).get()
    return Page(
        rows=tuple(_found(found, known[found.organisation_id], practice.name) for found in page.rows),
        cursors=page.cursors,
        has_next=page.has_next,
        has_previous=page.has_previous,
        total=page.total,
        event_cursor=page.event_cursor,
    )


def _found(found: FoundOrganisation, organisation: Organisation, practice_name: str) -> FoundInSignIn:
    return FoundInSignIn(
        organisation=organisation,
        credential_id=found.credential_id,
        consented=found.consented,
        is_own_books=not differs(practice_name, organisation.name, organisation.legal_name),
    )


@retrying
async def _start(
    principal: Principal, person_id: PersonId, new: NewSignIn, plan: _Plan, reach: Reach | None
) -> tuple[Started, Ahead]:
    """With an open round where something is being given back: nothing is given back after that."""
    sign_in_id = SignInId(new_id())
    async with unit_of_work(principal) as work:
        ahead = await GivingBackRepository.of(principal.practice_id).hold_off(plan.app.id)
        await SignInRepository.of(principal.practice_id).add(
            SignInRow(
                id=sign_in_id,
                practice_id=principal.practice_id,
                person_id=person_id,
                provider_app_id=plan.app.id,
                purpose=new.purpose,
                products=[product.value for product in plan.products],
                connection_id=new.connection_id,
                return_url=new.return_url,
                state=SignInState.STARTED,
                created_at=work.now,
                changed_at=work.now,
            )
        )
        url = None
        if ahead or reach is None or not await take_reach(work, sign_in_id, plan.app, reach):
            preselect = await wanted_organisation(plan.app, new.connection_id)
            url = await begin_round(
                work, person_id, sign_in_id, plan.app, plan.provider, plan.products, preselect=preselect
            )
        return Started(sign_in=await own_sign_in(principal, sign_in_id), authorization_url=url), ahead


async def _reach(person_id: PersonId, plan: _Plan) -> Reach | None:
    """What is reached without a trip, where that would do."""
    if plan.mends is None:
        return None
    return await find_reach(person_id, plan.app, plan.provider, plan.products, plan.mends)


async def _plan(principal: Principal, new: NewSignIn) -> _Plan:
    """What may be started: everything that needs no provider to answer is checked here."""
    provider = _provider(new.provider)
    if new.return_url is not None:
        checked_return_url(new.return_url, host().origins)
    if new.connection_id is None and new.purpose is Purpose.RECONNECT:
        raise Invalid(
            "Say which connection to reconnect: name it, or choose RECONNECT_ALL.", field="connectionId"
        )
    if new.connection_id is not None and new.purpose is not Purpose.RECONNECT:
        raise Invalid(
            "A connection is named for RECONNECT alone: leave it out, or choose RECONNECT.",
            field="connectionId",
        )
    async with scope(principal.practice_id):
        mends = await _mends(principal, new)
        app = await AppRepository.of(principal.practice_id).of_provider(new.provider)
    products = _products(new, provider, mends)
    if app is None:
        raise ProviderNotConfigured(provider.info.name)
    if new.purpose is Purpose.BULK_CONNECT and not (app.bulk_consent or provider.info.guided_queue):
        raise BulkConnectUnsupported(provider.info.name)
    return _Plan(app=app, provider=provider, products=products, mends=mends)


async def _mends(principal: Principal, new: NewSignIn) -> tuple[Connection, ...] | None:
    """What is to be reconnected, if the caller may; None for what is no reconnecting."""
    if new.connection_id is not None:
        return (await _connection(principal, new.provider, new.connection_id),)
    await require_some_client(principal)
    if new.purpose is not Purpose.RECONNECT_ALL:
        return None
    return tuple(await BrokenRepository.managed_by(principal).of_provider(new.provider))


async def _check_meant(principal: Principal, sign_in: SignIn, connection_id: ConnectionId) -> None:
    """Raises Forbidden, Invalid and NotFound, unless a round of the sign-in may be for this connection."""
    if sign_in.connection_id not in (None, connection_id):
        raise Invalid("Each round of this sign-in is for another connection.", field="connectionId")
    await _connection(principal, sign_in.provider, connection_id)


async def _connection(principal: Principal, provider: str, connection_id: ConnectionId) -> Connection:
    connection = await ConnectionRepository.visible_to(principal).get(connection_id)
    if connection is None:
        raise NotFound("connection", connection_id, field="connectionId")
    client = await ClientRepository.visible_to(principal).get(connection.client_id)
    principal.require(Permission.MANAGE_CONNECTIONS, administers=client is not None and client.administered)
    if connection.provider != provider:
        raise Invalid("This connection is to another provider.", field="connectionId")
    if connection.ended_at is not None:
        raise Invalid("This connection has ended: connect the client anew.", field="connectionId")
    return connection


def _products(
    new: NewSignIn, provider: Provider, mends: Collection[Connection] | None
) -> tuple[Product, ...]:
    products = tuple(dict.fromkeys(new.products))
    if not products and mends is not None:
        broken = {each.product for each in mends}
        products = tuple(each for each in provider.info.products if not broken or each in broken)
    if not products or not set(products) <= set(provider.info.products):
        offered = ", ".join(provider.info.products)
        raise Invalid(f"Name one or more products of {provider.info.name}: {offered}.", field="products")
    return products


def _provider(slug: str, *, field: str = "provider") -> Provider:
    provider = host().registry.get(slug)
    if provider is None:
        shown = slug[:_SLUG_LENGTH].encode("ascii", "replace").decode()
        raise NotFound("provider", shown, field=field)
    return provider


def _shown(sign_in: SignIn, at: datetime) -> SignIn:
    return replace(sign_in, state=state_at(sign_in.state, sign_in.usable_until, at))
