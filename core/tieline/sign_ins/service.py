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
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.states import differs
from tieline.credentials.apps.repository import AppRepository
from tieline.credentials.giving_back.repository import GivingBackRepository
from tieline.credentials.giving_back.service import until_over
from tieline.database import scope
from tieline.errors import Invalid, ProviderNotConfigured
from tieline.ids import ConnectionId, CredentialId, PersonId, SignInId, new_id
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.practices.repository import PracticeRepository
from tieline.principal import Principal
from tieline.sign_ins.completion import complete_sign_in
from tieline.sign_ins.consent import answer_consent
from tieline.sign_ins.models import SignInRow
from tieline.sign_ins.planning import NewSignIn, Plan, connection_meant, plan_of, provider_named
from tieline.sign_ins.prompting import Reach, find_reach, take_instead, take_reach
from tieline.sign_ins.repository import FoundOrganisation, SignIn, SignInRepository
from tieline.sign_ins.returns import ConsentAnswer
from tieline.sign_ins.rights import own_sign_in, person_of, require_some_client
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.states import LIFE, SignInState, over, state_at
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


async def start_sign_in(principal: Principal, new: NewSignIn) -> Started:
    """Begin to sign in; READY at once where a live credential of the caller's reaches already what is to be mended.

    Raises Forbidden, Invalid, NotFound (provider, connection), ProviderNotConfigured, BulkConnectUnsupported and Busy.
    """
    person_id = person_of(principal)
    plan = await plan_of(principal, new)
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
        provider = provider_named(sign_in.provider, field="id")
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
    principal: Principal, person_id: PersonId, new: NewSignIn, plan: Plan, reach: Reach | None
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


async def _reach(person_id: PersonId, plan: Plan) -> Reach | None:
    """What is reached without a trip, where that would do."""
    if plan.mends is None:
        return None
    return await find_reach(person_id, plan.app, plan.provider, plan.products, plan.mends)


async def _check_meant(principal: Principal, sign_in: SignIn, connection_id: ConnectionId) -> None:
    """Raises Forbidden, Invalid and NotFound, unless a round of the sign-in may be for this connection."""
    if sign_in.connection_id not in (None, connection_id):
        raise Invalid("Each round of this sign-in is for another connection.", field="connectionId")
    await connection_meant(principal, sign_in.provider, connection_id)


def _shown(sign_in: SignIn, at: datetime) -> SignIn:
    return replace(sign_in, state=state_at(sign_in.state, sign_in.usable_until, at))
