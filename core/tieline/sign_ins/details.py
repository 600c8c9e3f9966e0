"""The details of what a sign-in found, a few organisations at a time; a person watches the count grow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline import clock
from tieline.clients.adding.repository import fill_details, lock_served
from tieline.connections.mismatches import remismatch_organisations
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.credentials.asking import ask_details
from tieline.credentials.service import open_session
from tieline.database import scope
from tieline.errors import (
    LimitScope,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaSpent,
    Throttled,
)
from tieline.host import host
from tieline.ids import CredentialId, OrganisationId, PracticeId, SignInId
from tieline.log import fields_of, get_logger
from tieline.plugins import OrganisationDetails, Provider
from tieline.principal import Principal
from tieline.sign_ins.repository import SignInRepository
from tieline.work import Again, retrying, unit_of_work

_AT_A_TIME = 4
_SLICE_SECONDS = 20.0
_PAUSE = timedelta(seconds=30)
_WORTH_A_WAIT = timedelta(minutes=10)
_OF_ALL = (ProviderUnavailable, ProviderMisconfigured)
_ALL = 100_000

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A sign-in whose details are read while it can be used; `through` says by which credential each."""

    practice_id: PracticeId
    sign_in_id: SignInId
    usable_until: datetime
    through: Mapping[OrganisationId, CredentialId]


@dataclass(frozen=True, kw_only=True, slots=True)
class _LeftOut:
    """An organisation without details; `wait` until they may be asked for again, None where it does without.

    `is_alone`: the trouble is this organisation's, and not everybody's.
    """

    organisation_id: OrganisationId
    wait: timedelta | None
    is_alone: bool = True


async def read_details(practice_id: PracticeId, sign_in_id: SignInId) -> Again | None:
    """Read what is lacking; due again at once after a slice, later when the provider has trouble.

    An organisation that cannot be read, or not soon, does without: actions work with names alone, and whoever
    watches the count is not kept waiting.
    """
    loop = asyncio.get_running_loop()
    over_at = loop.time() + _SLICE_SECONDS
    reading = await _reading(practice_id, sign_in_id)
    left_out: dict[OrganisationId, _LeftOut] = {}
    while reading and (batch := await _lacking(reading, left_out)):
        if any(not each.is_alone for each in left_out.values()):
            break
        if loop.time() >= over_at:
            return Again(clock.now())
        outcomes = await asyncio.gather(*(_fetch(reading, each) for each in batch))
        left_out.update({each.organisation_id: each for each in outcomes if each is not None})
    waits = [each.wait for each in left_out.values() if each.wait is not None]
    return Again(clock.now() + min(waits)) if waits else None


async def _reading(practice_id: PracticeId, sign_in_id: SignInId) -> _Reading | None:
    """None once the sign-in cannot be used any more."""
    async with scope(practice_id):
        sign_ins = SignInRepository.of(practice_id)
        sign_in = await sign_ins.read(sign_in_id)
        if sign_in is None or sign_in.usable_until is None or sign_in.usable_until <= clock.now():
            return None
        found = await sign_ins.organisations(sign_in_id)
    return _Reading(
        practice_id=practice_id,
        sign_in_id=sign_in_id,
        usable_until=sign_in.usable_until,
        through={each.organisation_id: each.credential_id for each in found},
    )


async def _lacking(reading: _Reading, left_out: Collection[OrganisationId]) -> list[Organisation]:
    """The next few."""
    async with scope(reading.practice_id):
        lacking = await OrganisationRepository.of(reading.practice_id).lacking_details_of_sign_in(
            reading.sign_in_id, limit=_AT_A_TIME + len(left_out)
        )
    return [each for each in lacking if each.id not in left_out][:_AT_A_TIME]


async def _fetch(reading: _Reading, organisation: Organisation) -> _LeftOut | None:
    """Read and store one organisation's details."""
    provider, credential_id = (
        host().registry.get(organisation.provider),
        reading.through.get(organisation.id),
    )
    if provider is None or credential_id is None:
        return _LeftOut(organisation_id=organisation.id, wait=None)
    try:
        session = await open_session(
            reading.practice_id, credential_id, organisation=organisation.external_id
        )
        details = await ask_details(provider, session)
    except ProviderError as error:
        _log.info("sign_in.no_details", organisation_id=str(organisation.id), **fields_of(error))
        return await _left_out(reading, organisation.id, error, is_alone=_is_alone(provider, error))
    await _store(reading.practice_id, reading.sign_in_id, organisation.id, details)
    return None


async def _left_out(
    reading: _Reading, organisation_id: OrganisationId, error: ProviderError, *, is_alone: bool
) -> _LeftOut:
    """What is worth no wait is done without: by the organisation, or by all that have none yet."""
    wait = _wait(error)
    if wait is not None and wait <= _WORTH_A_WAIT and clock.now() + wait < reading.usable_until:
        return _LeftOut(organisation_id=organisation_id, wait=wait, is_alone=is_alone)
    await _do_without(reading, [organisation_id] if is_alone else None)
    return _LeftOut(organisation_id=organisation_id, wait=None, is_alone=is_alone)


def _is_alone(provider: Provider, error: ProviderError) -> bool:
    """Whether others may be read while this one cannot. A limit that nobody knows is an organisation's."""
    if isinstance(error, Throttled):
        return error.scope is LimitScope.ORGANISATION
    if isinstance(error, QuotaSpent):
        scopes = {limit.name: limit.scope for limit in provider.limits(None)}
        return scopes.get(error.limit) is not LimitScope.APP
    return not isinstance(error, _OF_ALL)


def _wait(error: ProviderError) -> timedelta | None:
    if isinstance(error, QuotaSpent):
        return max(error.resume_at - clock.now(), _PAUSE)
    if isinstance(error, Throttled):
        return error.retry_after or _PAUSE
    return _PAUSE if isinstance(error, _OF_ALL) else None


@retrying
async def _do_without(reading: _Reading, only: Sequence[OrganisationId] | None) -> None:
    """They cannot be read, or none can: they count as done."""
    async with unit_of_work(Principal.machine(reading.practice_id)) as work:
        organisations = OrganisationRepository.of(reading.practice_id)
        if only is None:
            lacking = await organisations.lacking_details_of_sign_in(reading.sign_in_id, limit=_ALL)
            only = [each.id for each in lacking]
        await organisations.lock(only)
        await organisations.do_without_details(only, at=work.now)
        work.hint("sign_in", reading.sign_in_id)


@retrying
async def _store(
    practice_id: PracticeId,
    sign_in_id: SignInId,
    organisation_id: OrganisationId,
    details: OrganisationDetails,
) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        organisations = OrganisationRepository.of(practice_id)
        await lock_served(practice_id, organisation_id)
        await organisations.lock([organisation_id])
        await organisations.set_details(organisation_id, details, at=work.now)
        await fill_details(practice_id, organisation_id)
        await remismatch_organisations(work, practice_id, [organisation_id])
        work.hint("sign_in", sign_in_id)
