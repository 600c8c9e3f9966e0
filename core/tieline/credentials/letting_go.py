"""Letting go at the provider of what nothing uses any more: first one organisation, then perhaps the whole consent.

    disconnect ── release_organisation ── no connection and no sign-in uses it: nobody can connect it any more
                        └── release_at_provider ── nobody came back to it: released there
                                  └── let_go_credential ── nothing uses its subject: dead here, revoked there

Each step is a job of its own that looks again under lock, so that a kill at any line leaves a job that goes on,
and so that who signed in meanwhile keeps what the new consent brought. From the decision until the provider has
answered nobody is sent there (`giving_back`). While a sign-in can be used that has the
organisation, it stays: what was disconnected by mistake can be connected again with the same sign-in, whether or not
a job has run in between. Trouble at the provider is waited out for a week.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.states import Reason
from tieline.credentials import actors
from tieline.credentials.apps.repository import App
from tieline.credentials.apps.service import provider_of
from tieline.credentials.asking import ask_release
from tieline.credentials.giving_back.service import Turn, begin, end, over_with_trouble
from tieline.credentials.losing import lose_organisations
from tieline.credentials.pairs import Pair, place_of
from tieline.credentials.putting_off import is_given_up, put_off
from tieline.credentials.repository import CredentialRepository, Kept, State
from tieline.credentials.revoking import revoke
from tieline.credentials.service import open_session
from tieline.credentials.uses.repository import uses_of_credential, uses_of_organisation
from tieline.errors import (
    AccessLost,
    ConsentGone,
    NotAtProvider,
    ProviderError,
    ScopeMissing,
)
from tieline.host import host
from tieline.ids import AppId, CredentialId, OrganisationId, PracticeId
from tieline.log import get_logger
from tieline.principal import Principal
from tieline.sign_ins.repository import SignInRepository
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.work import Again, Lane, retrying, unit_of_work

_MARGIN = timedelta(minutes=1)
_LEASED_PAUSE = timedelta(seconds=10)
_NOTHING_TO_RELEASE = (ConsentGone, AccessLost, ScopeMissing, NotAtProvider)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Releasable:
    """An organisation that nothing uses, by its provider's id, and the time to let go of it."""

    app: App
    external_id: str
    turn: Turn


@dataclass(frozen=True, kw_only=True, slots=True)
class Retired:
    """A dead credential with the tokens it still has, and the time to revoke them."""

    kept: Kept
    sealed: bytes = field(repr=False)
    turn: Turn


@retrying
async def release_organisation(
    practice_id: PracticeId, credential_id: CredentialId, organisation_id: OrganisationId
) -> Again | None:
    """Take the organisation away from sign-ins through this credential and queue its release.

    Later while a sign-in may use it, never when a connection does.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        await _lock(practice_id, credential_id, organisation_id)
        uses = await uses_of_organisation(practice_id, credential_id, organisation_id, at=work.now)
        if uses.connected:
            return None
        if uses.until is not None:
            return Again(uses.until + _MARGIN)
        # The reach stays until it is over: what is to be released has to be known until it is.
        await SignInRepository.of(practice_id).lose(credential_id, [organisation_id])
        work.enqueue(
            actors.release_at_provider,
            key=f"{credential_id}:{organisation_id}",
            practice_id=str(practice_id),
            credential_id=str(credential_id),
            organisation_id=str(organisation_id),
        )
    return None


async def release_at_provider(
    practice_id: PracticeId,
    credential_id: CredentialId,
    organisation_id: OrganisationId,
    *,
    trouble_since: datetime | None = None,
) -> Again | None:
    """Release it there; later while the provider has trouble, which it may have had for a while."""
    found = await _releasable(practice_id, credential_id, organisation_id)
    if not isinstance(found, Releasable):
        return found
    whose = {"credential_id": str(credential_id), "organisation_id": str(organisation_id)}
    is_released = False
    async with over_with_trouble(found.turn):
        try:
            await _release(found, practice_id, credential_id)
            is_released = True
        except _NOTHING_TO_RELEASE as gone:
            log.info("credential.nothing_to_release", code=gone.code, **whose)
        except ProviderError as error:
            await end(found.turn)
            if not is_given_up("credential.release_given_up", error, trouble_since, whose):
                return await put_off(practice_id, actors.release_at_provider, error, trouble_since, whose)
        await _end_reach(practice_id, credential_id, organisation_id, found.turn, is_released=is_released)
    return None


async def _release(found: Releasable, practice_id: PracticeId, credential_id: CredentialId) -> None:
    """Raises ProviderError. A call that the plugin made in vain leaves the turn in doubt, whatever came after it."""
    # Not bound to the organisation: what is left of its day has nothing to do with letting it go.
    session = await open_session(practice_id, credential_id, lane=Lane.BACKGROUND)
    provider = provider_of(found.app)
    seconds = found.turn.seconds(found.app.provider)
    try:
        await ask_release(provider, session, found.external_id, seconds=seconds)
    finally:
        found.turn.in_doubt = session.in_doubt > 0


async def let_go_credential(
    practice_id: PracticeId, credential_id: CredentialId, *, trouble_since: datetime | None = None
) -> Again | None:
    """Revoke the credential's token and drop it, unless something uses its subject, or may be about to.

    It is dead before its token is revoked, and keeps the token until the provider has answered, or has had trouble
    for a week.
    """
    found = await _retired(practice_id, credential_id)
    if not isinstance(found, Retired):
        return found
    whose = {"credential_id": str(credential_id)}
    async with over_with_trouble(found.turn):
        try:
            pair = Pair.opened(found.sealed, host().vault, place_of(practice_id, credential_id))
            await revoke(found.kept.app, pair.refresh or pair.access, found.turn)
            log.info("credential.let_go", **whose)
        except ProviderError as error:
            await end(found.turn)
            if not is_given_up("credential.revocation_given_up", error, trouble_since, whose):
                return await put_off(practice_id, actors.let_go_credential, error, trouble_since, whose)
        await _forget(found, practice_id, credential_id)
    return None


@retrying
async def _forget(found: Retired, practice_id: PracticeId, credential_id: CredentialId) -> None:
    async with unit_of_work(Principal.machine(practice_id)):
        await CredentialRepository.of(practice_id).forget_tokens(
            credential_id, version=found.kept.credential.version
        )
        await found.turn.end()


@retrying
async def _end_reach(
    practice_id: PracticeId,
    credential_id: CredentialId,
    organisation_id: OrganisationId,
    turn: Turn,
    *,
    is_released: bool,
) -> None:
    """What came to use it while it was being released has lost it, and is told so; then the credential is looked at."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        await _lock(practice_id, credential_id, organisation_id)
        if is_released:
            await lose_organisations(work, practice_id, credential_id, [organisation_id])
        await CredentialRepository.of(practice_id).drop_reach(credential_id, [organisation_id])
        await turn.end()
        work.enqueue(
            actors.let_go_credential,
            key=str(credential_id),
            practice_id=str(practice_id),
            credential_id=str(credential_id),
        )


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
        app_id = await _hold_subjects(practice_id, credential_id)
        await _lock(practice_id, credential_id, organisation_id)
        uses = await uses_of_organisation(practice_id, credential_id, organisation_id, at=work.now)
        if uses.connected:
            return None
        credentials = CredentialRepository.of(practice_id)
        kept = await credentials.kept(credential_id)
        if kept is None or app_id is None:
            return None
        # What somebody is consenting to at this moment is not known before they come back.
        out_until = await RoundRepository.of(practice_id).open_until(kept.app.id, at=work.now)
        pending = [until for until in (uses.until, out_until) if until is not None]
        if pending:
            return Again(max(pending) + _MARGIN)
        known = await OrganisationRepository.of(practice_id).get_many([organisation_id])
        if kept.credential.state is State.DEAD or not known:
            await credentials.drop_reach(credential_id, [organisation_id])
            return None
        turn = await begin(practice_id, app_id)
    return Releasable(app=kept.app, external_id=known[0].external_id, turn=turn)


@retrying
async def _retired(practice_id: PracticeId, credential_id: CredentialId) -> Retired | Again | None:
    """The credential, dead and with its tokens; later while a sign-in may use it, never when a connection does."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        credentials = CredentialRepository.of(practice_id)
        app_id = await _hold_subjects(practice_id, credential_id)
        await credentials.lock([credential_id])
        kept = await credentials.kept(credential_id)
        if kept is None or kept.sealed is None or app_id is None:
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
        turn = await begin(practice_id, app_id)
    return Retired(kept=kept, sealed=kept.sealed, turn=turn)


async def _hold_subjects(practice_id: PracticeId, credential_id: CredentialId) -> AppId | None:
    """Nobody begins a trip, or comes back from one, between the look and the decision. Before all other locks."""
    credential = await CredentialRepository.of(practice_id).get(credential_id)
    if credential is None:
        return None
    await RoundRepository.of(practice_id).hold_subjects(credential.app_id)
    return credential.app_id
