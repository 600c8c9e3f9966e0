"""Letting go at the provider of what nothing uses any more: first one organisation, then perhaps the whole consent.

    disconnect ── release_organisation ── no connection uses it: nobody can connect it any more
                        └── release_at_provider ── nobody came back to it: released there
                                  └── let_go_credential ── nothing uses its subject: dead here, revoked there

Each step is a job of its own that looks again under lock, so that a kill at any line leaves a job that goes on,
and so that who signed in meanwhile keeps what the new consent brought.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

import httpx

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.states import Reason
from tieline.credentials import actors
from tieline.credentials.apps import endpoints_of, provider_of, secret_of
from tieline.credentials.pairs import Pair, place_of
from tieline.credentials.repository import App, AppRepository, CredentialRepository, Kept, State
from tieline.credentials.service import open_session
from tieline.credentials.uses.repository import uses_of_credential, uses_of_organisation
from tieline.database import scope
from tieline.errors import (
    AccessLost,
    ConsentGone,
    NotAtProvider,
    NotFound,
    ProviderBroken,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    ScopeMissing,
)
from tieline.host import host
from tieline.ids import CredentialId, OrganisationId, PracticeId
from tieline.log import get_logger
from tieline.plugins import revocation_request, send
from tieline.principal import Principal
from tieline.sign_ins.repository import SignInRepository
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.vault import Secret
from tieline.work import Again, retrying, unit_of_work

_HTTP_SECONDS = 20.0
_OF_THE_APP = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
_APP_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
_MARGIN = timedelta(minutes=1)
_LEASED_PAUSE = timedelta(seconds=10)
_NOTHING_TO_RELEASE = (ConsentGone, AccessLost, ScopeMissing, NotAtProvider)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Releasable:
    """An organisation that nothing uses, by its provider's id."""

    app: App
    external_id: str


@retrying
async def release_organisation(
    practice_id: PracticeId, credential_id: CredentialId, organisation_id: OrganisationId
) -> None:
    """Take the organisation out of the credential's reach, unless a connection uses it, and queue its release."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        await _lock(practice_id, credential_id, organisation_id)
        uses = await uses_of_organisation(practice_id, credential_id, organisation_id, at=work.now)
        if uses.connected:
            return
        await CredentialRepository.of(practice_id).drop_reach(credential_id, [organisation_id])
        await SignInRepository.of(practice_id).lose(credential_id, [organisation_id])
        work.enqueue(
            actors.release_at_provider,
            key=f"{credential_id}:{organisation_id}",
            practice_id=str(practice_id),
            credential_id=str(credential_id),
            organisation_id=str(organisation_id),
        )


async def release_at_provider(
    practice_id: PracticeId, credential_id: CredentialId, organisation_id: OrganisationId
) -> Again | None:
    """Release it there. Raises what the provider's trouble is, so that the job is tried again."""
    found = await _releasable(practice_id, credential_id, organisation_id)
    if not isinstance(found, Releasable):
        return found
    try:
        session = await open_session(practice_id, credential_id, organisation=found.external_id)
        await provider_of(found.app).release(session, found.external_id)
    except _NOTHING_TO_RELEASE as gone:
        log.info("credential.nothing_to_release", credential_id=str(credential_id), code=gone.code)
    async with unit_of_work(Principal.machine(practice_id)) as work:
        work.enqueue(
            actors.let_go_credential,
            key=str(credential_id),
            practice_id=str(practice_id),
            credential_id=str(credential_id),
        )
    return None


async def let_go_credential(practice_id: PracticeId, credential_id: CredentialId) -> Again | None:
    """Revoke the credential's token and drop it, unless something uses its subject, or may be about to.

    It is dead before its token is revoked, and keeps the token until the provider has answered. Raises what the
    provider's trouble is, so that the job is tried again.
    """
    kept = await _retired(practice_id, credential_id)
    if not isinstance(kept, Kept) or kept.sealed is None:
        return kept if isinstance(kept, Again) else None
    pair = Pair.opened(kept.sealed, host().vault, place_of(practice_id, credential_id))
    await revoke(kept.app, pair.refresh or pair.access)
    async with unit_of_work(Principal.machine(practice_id)):
        await CredentialRepository.of(practice_id).forget_tokens(
            credential_id, version=kept.credential.version
        )
    log.info("credential.let_go", credential_id=str(credential_id))
    return None


async def revoke(app: App, token: Secret) -> None:
    """End a token at the provider; one that it does not know any more is no trouble.

    Raises ProviderUnavailable, ProviderMisconfigured and ProviderBroken.
    """
    async with scope(app.practice_id):
        sealed = await AppRepository.of(app.practice_id).sealed_secret(app.id)
    if sealed is None:
        raise NotFound("app", app.id)
    request = revocation_request(
        provider_of(app).oauth,
        endpoints_of(app),
        client_id=app.client_id,
        client_secret=secret_of(app, sealed),
        token=token,
    )
    status, body = await send(host().client, request, provider=app.provider, seconds=_HTTP_SECONDS)
    trouble = _trouble(app.provider, status, body)
    if trouble is not None:
        raise trouble


def _trouble(provider: str, status: int, body: bytes) -> ProviderError | None:
    """What the answer to a revocation means (RFC 7009, 2.2); a refusal of the token itself means that it is over."""
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        return ProviderUnavailable(provider)
    if status in _OF_THE_APP or (httpx.codes.is_client_error(status) and _error_of(body) in _APP_ERRORS):
        return ProviderMisconfigured(provider)
    if httpx.codes.is_success(status) or httpx.codes.is_client_error(status):
        return None
    return ProviderBroken(provider, "the revocation endpoint sends elsewhere")


def _error_of(body: bytes) -> str | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error.lower() if isinstance(error, str) else None


async def _lock(
    practice_id: PracticeId, credential_id: CredentialId, organisation_id: OrganisationId
) -> None:
    await OrganisationRepository.of(practice_id).lock([organisation_id])
    await CredentialRepository.of(practice_id).lock([credential_id])


@retrying
async def _releasable(
    practice_id: PracticeId, credential_id: CredentialId, organisation_id: OrganisationId
) -> Releasable | Again | None:
    """What to release; later while a sign-in has it again, never when a connection has."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        await _lock(practice_id, credential_id, organisation_id)
        uses = await uses_of_organisation(practice_id, credential_id, organisation_id, at=work.now)
        if uses.connected:
            return None
        if uses.until is not None:
            return Again(uses.until + _MARGIN)
        credentials = CredentialRepository.of(practice_id)
        await credentials.drop_reach(credential_id, [organisation_id])
        kept = await credentials.kept(credential_id)
        known = await OrganisationRepository.of(practice_id).get_many([organisation_id])
    if kept is None or kept.credential.state is State.DEAD or not known:
        return None
    return Releasable(app=kept.app, external_id=known[0].external_id)


@retrying
async def _retired(practice_id: PracticeId, credential_id: CredentialId) -> Kept | Again | None:
    """The credential, dead and with its tokens; later while a sign-in may use it, never when a connection does."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        credentials = CredentialRepository.of(practice_id)
        await credentials.lock([credential_id])
        kept = await credentials.kept(credential_id)
        if kept is None or kept.sealed is None:
            return None
        uses = await uses_of_credential(practice_id, credential_id, at=work.now)
        if uses.connected:
            return None
        # As whom somebody comes back from a consent page is not known before.
        out_until = await RoundRepository.of(practice_id).open_until(kept.app.id, at=work.now)
        pending = [until for until in (uses.until, out_until) if until is not None]
        if pending:
            return Again(max(pending) + _MARGIN)
        if kept.credential.state is State.LIVE and not await credentials.retire(
            credential_id, Reason.REVOKED_AT_PROVIDER, version=kept.credential.version
        ):
            return Again(work.now + _LEASED_PAUSE)
    return kept
