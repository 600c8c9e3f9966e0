"""Writing down what a credential reaches: organisations, the consent for each, and what that means to connections."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tieline.connections.mismatches import remismatch_organisations
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.runs import queue_syncs
from tieline.connections.states import HEALED_BY_SIGN_IN, Reason
from tieline.credentials.apps.repository import App
from tieline.credentials.consents.repository import ConsentRepository
from tieline.credentials.repository import Credential, CredentialRepository, State
from tieline.events.kinds import ConnectionRestored, of_connection
from tieline.ids import ConnectionId, CredentialId, OrganisationId, PersonId, PracticeId, SignInId
from tieline.plugins import OAuth, Provider, Reached
from tieline.sign_ins.actors import fetch_details
from tieline.sign_ins.repository import SignInRepository
from tieline.sign_ins.states import LIFE
from tieline.sign_ins.trips import forget_later
from tieline.sync.runs import Trigger
from tieline.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Stock:
    """What was found, with whether the consent was about each; `before`: what was reached, and since when."""

    credential: Credential
    before: Mapping[OrganisationId, datetime]
    consented: Mapping[OrganisationId, bool]


async def find_organisations(
    work: Work,
    sign_in_id: SignInId,
    app: App,
    credential_id: CredentialId,
    reached: Sequence[Reached],
    *,
    consented_at: datetime | None = None,
) -> Stock | None:
    """Know the organisations and add them to the sign-in; all of it, and what was reached before, is locked.

    The clock of a consent starts anew where it was about the organisation. None when the credential has died.
    """
    credentials = CredentialRepository.of(app.practice_id)
    held = await _lock(app, credential_id, reached)
    found = await OrganisationRepository.of(app.practice_id).upsert(
        app.provider, app.environment, reached, at=work.now
    )
    [credential] = await credentials.lock([credential_id])
    if credential.state is State.DEAD:
        return None
    before = await credentials.reach(credential_id)
    consented = {one.id: each.consented for one, each in zip(found, reached, strict=True)}
    await credentials.set_reach(credential_id, consented, at=consented_at or work.now)
    await SignInRepository.of(app.practice_id).find(sign_in_id, credential_id, list(consented.items()))
    await remismatch_organisations(work, app.practice_id, list(consented))
    return Stock(
        credential=credential,
        before={each: since for each, since in before.items() if each in held},
        consented=consented,
    )


async def _lock(app: App, credential_id: CredentialId, reached: Sequence[Reached]) -> set[OrganisationId]:
    """All organisations that are known and may be touched, at once, so that they come in one order."""
    organisations = OrganisationRepository.of(app.practice_id)
    before = await CredentialRepository.of(app.practice_id).reach(credential_id)
    known = await organisations.known(app.provider, app.environment, [each.external_id for each in reached])
    return {each.id for each in await organisations.lock({*before, *known})}


async def heal(
    work: Work,
    credential: Credential,
    provider: Provider,
    reached: Mapping[OrganisationId, bool],
    person_id: PersonId,
) -> list[ConnectionId]:
    """Restore what was EXPIRED only for this credential's tokens, and sync it; not where a consent has run out.

    `reached` says of each organisation, which is locked as the credential is, whether the consent was about it.
    """
    connections = ConnectionRepository.of(credential.practice_id)
    there = [
        each
        for each in await connections.current_of_organisations(reached)
        if each.credential_id == credential.id and each.reason in HEALED_BY_SIGN_IN
    ]
    locked = await connections.lock([each.id for each in there]) if there else []
    over = await ConsentRepository.of(credential.practice_id).over(
        [(credential.id, each.organisation_id) for each in locked], at=work.now
    )
    mended = [
        each
        for each in locked
        if (credential.id, each.organisation_id) not in over
        and is_mended(each, credential, provider.oauth, consented=reached[each.organisation_id])
    ]
    await restore(work, credential, mended, person_id)
    return [each.id for each in mended]


async def restore(
    work: Work, credential: Credential, mended: Collection[Connection], person_id: PersonId | None
) -> None:
    """Nothing is wrong any more with these connections on the credential: all of it is locked. They are synced."""
    moved = {each.id: (credential.id, each.mismatch) for each in mended}
    restored = (
        await ConnectionRepository.of(credential.practice_id).move_many(moved, at=work.now) if moved else []
    )
    for each in restored:
        work.event(ConnectionRestored(**of_connection(each)))
        work.hint("connection", each.id)
    await queue_syncs(work, credential.practice_id, restored, trigger=Trigger.RESTORED, person_id=person_id)


def is_mended(connection: Connection, credential: Credential, oauth: OAuth, *, consented: bool) -> bool:
    """Whether a new consent to the credential, perhaps about the connection's organisation, makes it good again."""
    ours = connection.ended_at is None and connection.credential_id == credential.id
    if not ours or credential.state is State.DEAD or connection.reason not in HEALED_BY_SIGN_IN:
        return False
    if connection.reason is Reason.CONSENT_EXPIRED and not consented:
        return False
    return oauth.covers(credential.scopes, connection.product)


async def make_ready(work: Work, practice_id: PracticeId, sign_in_id: SignInId) -> None:
    """From now on actions may be taken with the sign-in; its organisations' details come by a job."""
    await SignInRepository.of(practice_id).set_ready(sign_in_id, usable_until=work.now + LIFE, at=work.now)
    work.enqueue(fetch_details, key=str(sign_in_id), practice_id=str(practice_id), sign_in_id=str(sign_in_id))
    forget_later(work, practice_id, sign_in_id)
    work.hint("sign_in", sign_in_id)
