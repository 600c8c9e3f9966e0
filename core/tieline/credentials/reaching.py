"""The daily look at what a credential still reaches: what was removed at the provider is noticed, what is back too.

An organisation that it reaches no more is REVOKED_AT_PROVIDER. One that was, and is reached again, is set back; one
whose access was lost or whose subscription had lapsed is set back when its books can be opened again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tieline import clock
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.states import Reason
from tieline.credentials.apps.service import provider_of
from tieline.credentials.losing import lose_organisations
from tieline.credentials.repository import CredentialRepository, Kept, State
from tieline.credentials.service import open_session
from tieline.database import scope
from tieline.errors import ConsentGone, ProviderError, ProviderUnavailable, QuotaSpent, Throttled
from tieline.ids import CredentialId, OrganisationId, PracticeId
from tieline.log import fields_of, get_logger
from tieline.plugins import Provider
from tieline.principal import Principal
from tieline.sign_ins.stock import restore
from tieline.sync.due.times import next_day
from tieline.work import Again, Lane, retrying, unit_of_work

_TO_OPEN = frozenset({Reason.ACCESS_LOST, Reason.SUBSCRIPTION_LAPSED})
_SET_BACK = _TO_OPEN | {Reason.REVOKED_AT_PROVIDER}
_PASSES = (ProviderUnavailable, Throttled, QuotaSpent)
_SOON = timedelta(hours=1)
_SECONDS = 60.0
_MAX_OPENED = 20
_OPENING_SECONDS = 120.0

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """A live credential, and what we believe of it: its organisations, and its connections that are bad."""

    kept: Kept
    organisations: tuple[Organisation, ...]
    bad: tuple[Connection, ...]

    @property
    def provider(self) -> Provider:
        return provider_of(self.kept.app)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What the provider said, and when it was asked. `opened` are those whose books could be opened."""

    asked_at: datetime
    reached: frozenset[OrganisationId]
    opened: frozenset[OrganisationId]


async def check_reach(practice_id: PracticeId, credential_id: CredentialId) -> Again | None:
    """Ask and write down what changed; again tomorrow, or never when the credential has ended."""
    known = await _known(practice_id, credential_id)
    if known is None:
        return None
    try:
        seen = await _look(known)
    except ConsentGone:
        return None
    except ProviderError as error:
        log.warning("credential.reach_unknown", credential_id=str(credential_id), **fields_of(error))
        return Again(clock.now() + _SOON if isinstance(error, _PASSES) else next_day(clock.now()))
    await _write_down(practice_id, credential_id, known, seen)
    opened = await _opened(known, seen)
    if opened:
        await _write_down(practice_id, credential_id, known, replace(seen, opened=opened))
    return Again(next_day(clock.now()))


async def _known(practice_id: PracticeId, credential_id: CredentialId) -> _Known | None:
    async with scope(practice_id):
        credentials = CredentialRepository.of(practice_id)
        kept = await credentials.kept(credential_id)
        if kept is None or kept.credential.state is State.DEAD:
            return None
        current = await ConnectionRepository.of(practice_id).current_of_credential(credential_id)
        ids = {*await credentials.reach(credential_id), *(each.organisation_id for each in current)}
        organisations = await OrganisationRepository.of(practice_id).get_many(ids)
    bad = tuple(each for each in current if each.reason in _SET_BACK)
    return _Known(kept=kept, organisations=tuple(organisations), bad=bad)


async def _look(known: _Known) -> _Seen:
    """One call. Raises ProviderError."""
    credential, asked_at = known.kept.credential, clock.now()
    session = await open_session(credential.practice_id, credential.id, lane=Lane.BACKGROUND)
    try:
        async with asyncio.timeout(_SECONDS):
            found = await known.provider.organisations(session, None)
    except TimeoutError:
        raise ProviderUnavailable(known.kept.app.provider) from None
    named = {each.external_id for each in found}
    reached = frozenset(each.id for each in known.organisations if each.external_id in named)
    return _Seen(asked_at=asked_at, reached=reached, opened=frozenset())


async def _opened(known: _Known, seen: _Seen) -> frozenset[OrganisationId]:
    """One call for each that is reached and may be open again: some of them a day, as far as the time goes."""
    shut = {each.organisation_id for each in known.bad if each.reason in _TO_OPEN}
    maybe = [each for each in known.organisations if each.id in seen.reached and each.id in shut]
    opened: set[OrganisationId] = set()
    with suppress(TimeoutError):
        async with asyncio.timeout(_OPENING_SECONDS):
            for each in random.sample(maybe, min(len(maybe), _MAX_OPENED)):
                if await _is_open(known, each):
                    opened.add(each.id)
    return frozenset(opened)


async def _is_open(known: _Known, organisation: Organisation) -> bool:
    credential = known.kept.credential
    try:
        session = await open_session(
            credential.practice_id,
            credential.id,
            organisation=organisation.external_id,
            lane=Lane.BACKGROUND,
        )
        async with asyncio.timeout(_SECONDS):
            await known.provider.organisation(session)
    except (ProviderError, TimeoutError) as error:
        log.info("credential.not_open", organisation_id=str(organisation.id), error=type(error).__name__)
        return False
    return True


@retrying
async def _write_down(
    practice_id: PracticeId, credential_id: CredentialId, known: _Known, seen: _Seen
) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        credentials = CredentialRepository.of(practice_id)
        ids = {each.id for each in known.organisations}
        await OrganisationRepository.of(practice_id).lock(ids)
        credential = next(iter(await credentials.lock([credential_id])), None)
        if credential is None or credential.state is State.DEAD:
            return
        # What was consented to after the provider was asked is not in its answer, and is not lost.
        lost = [
            organisation_id
            for organisation_id, since in (await credentials.reach(credential_id)).items()
            if organisation_id in ids - seen.reached and since <= seen.asked_at
        ]
        if lost:
            await lose_organisations(work, practice_id, credential_id, lost)
        mended = await _mended(practice_id, credential_id, known, seen)
        if mended:
            back = {each.organisation_id: False for each in mended}
            await credentials.set_reach(credential_id, back, at=work.now)
            await restore(work, credential, mended, None)


async def _mended(
    practice_id: PracticeId, credential_id: CredentialId, known: _Known, seen: _Seen
) -> Collection[Connection]:
    """Of the connections that were bad those that still are, for a reason that is over; locked."""
    locked = await ConnectionRepository.of(practice_id).lock([each.id for each in known.bad])
    scopes = known.kept.credential.scopes
    return [
        each
        for each in locked
        if each.ended_at is None
        and each.credential_id == credential_id
        and _is_over(each, seen)
        and known.provider.oauth.covers(scopes, each.product)
    ]


def _is_over(connection: Connection, seen: _Seen) -> bool:
    if connection.reason is Reason.REVOKED_AT_PROVIDER:
        return connection.organisation_id in seen.reached
    return connection.reason in _TO_OPEN and connection.organisation_id in seen.opened
