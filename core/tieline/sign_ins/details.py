"""The details of what a sign-in found, a few organisations at a time; a person watches the count grow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from tieline import clock
from tieline.connections.mismatches import remismatch_organisations
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.credentials.service import open_session
from tieline.database import scope
from tieline.errors import ProviderError, ProviderMisconfigured, ProviderUnavailable, Throttled
from tieline.host import host
from tieline.ids import CredentialId, OrganisationId, PracticeId, SignInId
from tieline.log import fields_of, get_logger
from tieline.plugins import OrganisationDetails
from tieline.principal import Principal
from tieline.sign_ins.repository import SignInRepository
from tieline.work import Again, retrying, unit_of_work

_AT_A_TIME = 4
_SLICE_SECONDS = 20.0
_PAUSE = timedelta(seconds=30)
_PASSES = (Throttled, ProviderUnavailable, ProviderMisconfigured)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _LeftOut:
    """An organisation without details; `wait` until they may be asked for again, None where that is no use."""

    organisation_id: OrganisationId
    wait: timedelta | None


async def read_details(practice_id: PracticeId, sign_in_id: SignInId) -> Again | None:
    """Read what is lacking; due again at once after a slice, later when the provider has trouble.

    An organisation that cannot be read is left out: actions work with names alone.
    """
    loop = asyncio.get_running_loop()
    over_at = loop.time() + _SLICE_SECONDS
    through = await _credentials(practice_id, sign_in_id)
    left_out: dict[OrganisationId, _LeftOut] = {}
    while through and (batch := await _lacking(practice_id, sign_in_id, left_out)):
        if any(each.wait for each in left_out.values()):
            break
        if loop.time() >= over_at:
            return Again(clock.now())
        outcomes = await asyncio.gather(
            *(_fetch(practice_id, sign_in_id, each, through.get(each.id)) for each in batch)
        )
        left_out.update({each.organisation_id: each for each in outcomes if each is not None})
    waits = [each.wait for each in left_out.values() if each.wait is not None]
    return Again(clock.now() + max(waits)) if waits else None


async def _credentials(practice_id: PracticeId, sign_in_id: SignInId) -> dict[OrganisationId, CredentialId]:
    """Through which credential each organisation is reached; none once the sign-in cannot be used any more."""
    async with scope(practice_id):
        sign_ins = SignInRepository.of(practice_id)
        sign_in = await sign_ins.read(sign_in_id)
        if sign_in is None or sign_in.usable_until is None or sign_in.usable_until <= clock.now():
            return {}
        return {each.organisation_id: each.credential_id for each in await sign_ins.organisations(sign_in_id)}


async def _lacking(
    practice_id: PracticeId, sign_in_id: SignInId, left_out: Collection[OrganisationId]
) -> list[Organisation]:
    """The next few."""
    async with scope(practice_id):
        lacking = await OrganisationRepository.of(practice_id).lacking_details_of_sign_in(
            sign_in_id, limit=_AT_A_TIME + len(left_out)
        )
    return [each for each in lacking if each.id not in left_out][:_AT_A_TIME]


async def _fetch(
    practice_id: PracticeId,
    sign_in_id: SignInId,
    organisation: Organisation,
    credential_id: CredentialId | None,
) -> _LeftOut | None:
    """Read and store one organisation's details."""
    provider = host().registry.get(organisation.provider)
    if provider is None or credential_id is None:
        return _LeftOut(organisation_id=organisation.id, wait=None)
    try:
        session = await open_session(practice_id, credential_id, organisation=organisation.external_id)
        details = await provider.organisation(session)
    except ProviderError as error:
        _log.info("sign_in.no_details", organisation_id=str(organisation.id), **fields_of(error))
        wait = _wait(error)
        if wait is None:
            await _do_without(practice_id, sign_in_id, organisation.id)
        return _LeftOut(organisation_id=organisation.id, wait=wait)
    await _store(practice_id, sign_in_id, organisation.id, details)
    return None


def _wait(error: ProviderError) -> timedelta | None:
    if not isinstance(error, _PASSES):
        return None
    return (error.retry_after if isinstance(error, Throttled) else None) or _PAUSE


@retrying
async def _do_without(practice_id: PracticeId, sign_in_id: SignInId, organisation_id: OrganisationId) -> None:
    """It cannot be read: it counts as done, so that whoever watches the count is not kept waiting."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        await OrganisationRepository.of(practice_id).do_without_details(organisation_id, at=work.now)
        work.hint("sign_in", sign_in_id)


@retrying
async def _store(
    practice_id: PracticeId,
    sign_in_id: SignInId,
    organisation_id: OrganisationId,
    details: OrganisationDetails,
) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        organisations = OrganisationRepository.of(practice_id)
        await organisations.lock([organisation_id])
        await organisations.set_details(organisation_id, details, at=work.now)
        await remismatch_organisations(work, practice_id, [organisation_id])
        work.hint("sign_in", sign_in_id)
