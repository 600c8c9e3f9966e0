"""What others do with credentials: talk through one, keep what a consent brought, give one up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tieline import clock
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, meter_of, provider_of
from tieline.credentials.handing import hand_over
from tieline.credentials.looks import look_daily
from tieline.credentials.pairs import CURRENT, PREVIOUS, Pair, place_of
from tieline.credentials.refreshing import sealed_pair
from tieline.credentials.rejection import credential_rejected
from tieline.credentials.repository import Credential, CredentialRepository, State
from tieline.credentials.tokens import CredentialTokens
from tieline.database import scope
from tieline.errors import ConsentGone, NotFound
from tieline.host import host
from tieline.ids import CredentialId, PersonId, PracticeId, new_id
from tieline.log import get_logger
from tieline.plugins import Session, Subject
from tieline.quota import PATIENCE, KeptInRows, RedisGate
from tieline.sync.due.times import next_day
from tieline.vault import SealBroken, Secret
from tieline.work import Lane, Work

_PREVIOUS_KEPT = timedelta(minutes=30)
_LOGIN_LENGTH = 254

__all__ = ["credential_rejected", "endpoints_of", "keep_consent", "open_session", "trial_session"]

log = get_logger(__name__)


async def open_session(
    practice_id: PracticeId,
    credential_id: CredentialId,
    *,
    organisation: str | None = None,
    lane: Lane = Lane.INTERACTIVE,
    patience: timedelta = PATIENCE,
) -> Session:
    """A session of this credential, perhaps for one organisation by its external id. Raises ConsentGone, NotFound.

    A call waits for the quota as long as `patience`; calls that no person waits for leave a share of the day.
    """
    async with scope(practice_id):
        credential = await CredentialRepository.of(practice_id).get(credential_id)
        app = await AppRepository.of(practice_id).get(credential.app_id) if credential else None
    if credential is None or app is None:
        raise NotFound("credential", credential_id)
    if credential.state is State.DEAD:
        raise ConsentGone(app.provider)
    return Session(
        client=host().client,
        provider=provider_of(app),
        endpoints=endpoints_of(app),
        tokens=CredentialTokens(practice_id, credential_id),
        gate=_gate(app, lane=lane, patience=patience),
        subject=credential.subject,
        organisation=organisation,
        now=clock.now,
        version=credential.version,
    )


def trial_session(app: App, pair: Pair, subject: str) -> Session:
    """A session of tokens that no credential has yet, to see what they open; it cannot renew them."""
    return Session(
        client=host().client,
        provider=provider_of(app),
        endpoints=endpoints_of(app),
        tokens=_JustGranted(app.provider, pair),
        gate=_gate(app, lane=Lane.INTERACTIVE, patience=PATIENCE),
        subject=subject,
        organisation=None,
        now=clock.now,
    )


@dataclass(frozen=True, slots=True)
class _JustGranted:
    """A `tieline.plugins.TokenSource` of one pair."""

    provider: str
    pair: Pair

    async def access(self) -> Secret:
        return self.pair.access

    async def renewed(self, stale: Secret) -> Secret:  # noqa: ARG002 - there is no other
        raise ConsentGone(self.provider)


def _gate(app: App, *, lane: Lane, patience: timedelta) -> RedisGate:
    return RedisGate(
        host().quota,
        meter=meter_of(app),
        limits=tuple(provider_of(app).limits(app.tier)),
        lane=lane,
        lasting=KeptInRows(app.practice_id, app.id),
        patience=patience,
    )


async def keep_consent(
    work: Work, app: App, pair: Pair, subject: Subject, *, person_id: PersonId, takes_over: bool
) -> Credential:
    """Keep what a consent brought, in the one row of (app, subject); a younger pair that is there and works stays.

    `takes_over`: from now on this person is the one who signed in. A new row has no other.
    """
    credentials = CredentialRepository.of(app.practice_id)
    lasting = pair.lasting(provider_of(app).oauth.refresh_life)
    there = await credentials.by_subject(app.id, subject.id, lock=True)
    if there is None:
        added = await _add(work, app, lasting, subject, person_id)
        if added is not None:
            look_daily(work, app.practice_id, added.id, due_at=next_day(work.now))
            return added
        there = await credentials.by_subject(app.id, subject.id, lock=True)
    assert there is not None
    # What waits for its sign-in to be completed may be older than what is there; a dead one has nothing to lose.
    if there.state is State.DEAD or there.refreshed_at < lasting.obtained_at:
        # An organisation's login may be another person's this time, so not even an unknown one leaves the old name.
        known = there.login if provider_of(app).info.bulk_consent else None
        await _replace(work, there, lasting, login=_login(subject) or known)
    look_daily(work, app.practice_id, there.id, due_at=next_day(work.now))
    if takes_over:
        await hand_over(work, app.practice_id, [there.id], person_id)
    kept = await credentials.get(there.id)
    assert kept is not None
    return kept


async def _add(work: Work, app: App, pair: Pair, subject: Subject, person_id: PersonId) -> Credential | None:
    """None when somebody has brought the same subject at this moment."""
    credentials = CredentialRepository.of(app.practice_id)
    credential_id = CredentialId(new_id())
    added = await credentials.add(
        credential_id,
        sealed_pair(app.practice_id, credential_id, pair),
        app_id=app.id,
        subject=subject.id,
        login=_login(subject),
        person_id=person_id,
        at=work.now,
    )
    return await credentials.get(credential_id) if added else None


async def _replace(work: Work, there: Credential, pair: Pair, *, login: str | None) -> None:
    credentials = CredentialRepository.of(there.practice_id)
    before = await credentials.sealed_tokens(there.id) if there.state is State.LIVE else None
    previous = _resealed(there, before) if before is not None else None
    await credentials.store(
        there.id,
        sealed_pair(there.practice_id, there.id, pair),
        previous_sealed=previous,
        previous_until=work.now + _PREVIOUS_KEPT if previous is not None else None,
        login=login,
    )


def _resealed(there: Credential, sealed: bytes) -> bytes | None:
    """The pair there was, sealed for its new place; None when it cannot be opened any more."""
    vault = host().vault
    try:
        before = Pair.opened(sealed, vault, place_of(there.practice_id, there.id, CURRENT))
    except SealBroken:
        log.warning("credential.seal_broken", credential_id=str(there.id))
        return None
    return before.sealed(vault, place_of(there.practice_id, there.id, PREVIOUS))


def _login(subject: Subject) -> str | None:
    return subject.login[:_LOGIN_LENGTH] if subject.login else None
