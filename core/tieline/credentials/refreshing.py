"""One refresh of a credential at a time, across all processes, without a database connection held during HTTP.

    look ──┬── moved on ── the pair that is stored now
           ├── leased ──── somebody else refreshes: look again soon
           └── lease ──── ask the provider ──┬── tokens ──── stored before anyone uses them
                                             ├── refused ─── read again; stored ones changed: use those
                                             │                           the same: dead, for good
                                             └── no answer ─ lease given back, nobody's state changes

The holder may be stopped at any line: its lease lapses, and what it brings later is not written over anything.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline import clock, metrics
from tieline.connections.states import Reason
from tieline.credentials.actors import finish_refresh
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, provider_of, secret_of
from tieline.credentials.pairs import PREVIOUS, Pair, place_of
from tieline.credentials.rejection import credential_rejected
from tieline.credentials.repository import LEASE, CredentialRepository, Kept, SealedPair, State
from tieline.database import scope
from tieline.errors import ConsentGone, NotFound, ProviderMisconfigured, ProviderUnavailable, TryAgain
from tieline.host import host
from tieline.ids import CredentialId, PracticeId, new_id
from tieline.log import get_logger
from tieline.plugins import GrantRejected, TokenSet, read_tokens, refresh_request, send
from tieline.principal import Principal
from tieline.work import retrying, unit_of_work

_HTTP_SECONDS = 20.0
_HOLD_SECONDS = LEASE.total_seconds() - 5.0  # for all that is asked of a provider; the rest is for storing
_WAIT_SECONDS = 40.0
_LEAST_SECONDS = 1.0
_STORE_PAUSE = 0.5
_AFTER_LEASE = timedelta(seconds=5)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The right to refresh, until the loop's time `until`, and what it takes to do so."""

    kept: Kept
    pair: Pair
    owner: str
    until: float

    @property
    def provider(self) -> str:
        return self.kept.app.provider

    @property
    def seconds(self) -> float:
        return self.until - asyncio.get_running_loop().time()


async def refresh(
    practice_id: PracticeId, credential_id: CredentialId, *, version: int, backed: bool = False
) -> Pair:
    """The pair that follows the one of this version, whoever gets it. `backed`: a job sees to it already.

    Raises ConsentGone, ProviderUnavailable, ProviderMisconfigured and ProviderBroken.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _WAIT_SECONDS
    while True:
        found = await _begin(practice_id, credential_id, version, backed=backed)
        match found:
            case Pair():
                return found
            case Turn():
                pair = await _hold(found)
                if pair is not None:
                    return pair
            case Kept():
                await asyncio.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - jitter
        if loop.time() >= give_up_at:
            slug = found.provider if isinstance(found, Turn) else found.app.provider
            raise ProviderUnavailable(slug)


async def stored(practice_id: PracticeId, credential_id: CredentialId) -> tuple[Kept, Pair]:
    """The credential and the pair it has now. Raises ConsentGone, NotFound and SealBroken."""
    async with scope(practice_id):
        kept = await CredentialRepository.of(practice_id).kept(credential_id)
    return _opened(kept, credential_id)


def sealed_pair(practice_id: PracticeId, credential_id: CredentialId, pair: Pair) -> SealedPair:
    """The pair as a row of the credential holds it."""
    return SealedPair(
        sealed=pair.sealed(host().vault, place_of(practice_id, credential_id)),
        scopes=pair.scopes,
        obtained_at=pair.obtained_at,
        access_expires_at=pair.access_expires_at,
        refresh_expires_at=pair.refresh_expires_at,
        hard_expires_at=pair.hard_expires_at,
    )


async def _begin(
    practice_id: PracticeId, credential_id: CredentialId, version: int, *, backed: bool
) -> Pair | Turn | Kept:
    """Look; a lease that may have been taken while somebody stopped us, or the database went away, is given back."""
    owner = str(new_id())
    try:
        return await _look(practice_id, credential_id, version, owner=owner, backed=backed)
    except (asyncio.CancelledError, TryAgain):
        await _release(practice_id, credential_id, owner)
        raise


@retrying
async def _look(
    practice_id: PracticeId, credential_id: CredentialId, version: int, *, owner: str, backed: bool
) -> Pair | Turn | Kept:
    """What there is to do: nothing any more, take our turn, or wait for somebody else's."""
    until = asyncio.get_running_loop().time() + _HOLD_SECONDS
    async with unit_of_work(Principal.machine(practice_id)) as work:
        credentials = CredentialRepository.of(practice_id)
        kept, pair = _opened(await credentials.kept(credential_id), credential_id)
        if kept.credential.version != version:
            return pair
        if kept.is_leased or not await credentials.lease(credential_id, owner=owner, version=version):
            return kept
        if not backed:
            work.enqueue(
                finish_refresh,
                key=str(credential_id),
                due_at=work.now + LEASE + _AFTER_LEASE,
                practice_id=str(practice_id),
                credential_id=str(credential_id),
                version=version,
                since=work.now.isoformat(),
            )
    return Turn(kept=kept, pair=pair, owner=owner, until=until)


async def _hold(turn: Turn) -> Pair | None:
    """Refresh while the lease is ours; None when somebody else has to be looked at first."""
    try:
        pair = await _refreshed(turn)
    except BaseException as trouble:
        _count(turn, "failed")
        if isinstance(trouble, ProviderMisconfigured):
            await _blame_app(turn, trouble.code)
        credential = turn.kept.credential
        await _release(credential.practice_id, credential.id, turn.owner)
        raise
    if pair is not None:
        _count(turn, "renewed")
    return pair


def _count(turn: Turn, outcome: str) -> None:
    metrics.refreshes.labels(turn.provider, outcome).inc()


async def _refreshed(turn: Turn) -> Pair | None:
    try:
        tokens = await _ask(turn, turn.pair)
    except GrantRejected:
        return await _refused(turn)
    return await _store(turn, turn.pair, tokens)


async def _ask(turn: Turn, pair: Pair) -> TokenSet:
    """Send the refresh token; once more at once when the answer was lost on its way."""
    app = turn.kept.app
    if pair.refresh is None:
        raise GrantRejected(app.provider)
    request = refresh_request(
        provider_of(app).oauth,
        endpoints_of(app),
        client_id=app.client_id,
        client_secret=secret_of(app, turn.kept.secret_sealed),
        refresh=pair.refresh,
    )
    client, slug = host().client, app.provider
    if turn.seconds < _LEAST_SECONDS:
        raise ProviderUnavailable(slug, sent=False)
    try:
        answer = await send(client, request, provider=slug, seconds=min(_HTTP_SECONDS, turn.seconds))
    except ProviderUnavailable as lost:
        if not lost.sent or turn.seconds < _LEAST_SECONDS:
            raise
        log.warning("credential.answer_lost", provider=slug, credential_id=str(turn.kept.credential.id))
        answer = await send(client, request, provider=slug, seconds=turn.seconds)
    field = provider_of(app).oauth.hard_expiry_field
    return read_tokens(slug, *answer, asked_scopes=pair.scopes, hard_expiry_field=field)


async def _refused(turn: Turn) -> Pair | None:
    """The provider does not accept the token: was it the stored one, is there another, or is this the end?"""
    credential = turn.kept.credential
    practice_id, credential_id = credential.practice_id, credential.id
    async with scope(practice_id):
        kept = await CredentialRepository.of(practice_id).kept(credential_id)
    if kept is None or kept.credential.version != credential.version or kept.lease_owner != turn.owner:
        return None
    previous = _previous(kept)
    if previous is not None:
        with suppress(GrantRejected):
            return await _store(turn, previous, await _ask(turn, previous))
    await credential_rejected(practice_id, credential_id, _reason(turn.pair), credential.version)
    _count(turn, "rejected")
    return None


async def _store(turn: Turn, before: Pair, tokens: TokenSet) -> Pair | None:
    """Keep what came, before anyone uses it: the provider may already have forgotten what was there before."""
    life = provider_of(turn.kept.app).oauth.refresh_life
    pair = before.followed_by(tokens, at=clock.now(), refresh_life=life)
    lease_over = turn.until + LEASE.total_seconds() - _HOLD_SECONDS
    while True:
        try:
            return pair if await _write_back(turn, pair) else None
        except TryAgain:
            if asyncio.get_running_loop().time() + _STORE_PAUSE >= lease_over:
                raise
        await asyncio.sleep(_STORE_PAUSE)


@retrying
async def _write_back(turn: Turn, pair: Pair) -> bool:
    credential, app = turn.kept.credential, turn.kept.app
    async with unit_of_work(Principal.machine(credential.practice_id)):
        written = await CredentialRepository.of(credential.practice_id).write_back(
            credential.id,
            sealed_pair(credential.practice_id, credential.id, pair),
            owner=turn.owner,
            version=credential.version,
        )
    if app.fault is not None:
        await _set_fault(app, None)
    log.info("credential.refreshed", credential_id=str(credential.id), provider=app.provider, stored=written)
    return written


async def _blame_app(turn: Turn, code: str) -> None:
    """The operator's fault, and nobody else's: kept with the app, said in the log."""
    app = turn.kept.app
    log.error("credential.app_refused", provider=app.provider, app_id=str(app.id), code=code)
    await _set_fault(app, code)


async def _set_fault(app: App, code: str | None) -> None:
    """In a transaction of its own: others hold the app when they ask for its credentials."""
    with suppress(TryAgain):
        async with unit_of_work(Principal.machine(app.practice_id)):
            await AppRepository.of(app.practice_id).set_fault(app.id, code)


async def _release(practice_id: PracticeId, credential_id: CredentialId, owner: str) -> None:
    """Let others try; when the database is away, the lease lapses by itself."""
    with suppress(TryAgain):
        async with unit_of_work(Principal.machine(practice_id)):
            await CredentialRepository.of(practice_id).release_lease(credential_id, owner=owner)


def _opened(kept: Kept | None, credential_id: CredentialId) -> tuple[Kept, Pair]:
    if kept is None:
        raise NotFound("credential", credential_id)
    if kept.credential.state is State.DEAD or kept.sealed is None:
        raise ConsentGone(kept.app.provider)
    place = place_of(kept.credential.practice_id, credential_id)
    return kept, Pair.opened(kept.sealed, host().vault, place)


def _previous(kept: Kept) -> Pair | None:
    """The pair before a new consent, while it may still be good."""
    if kept.previous_sealed is None or kept.previous_until is None or kept.previous_until <= clock.now():
        return None
    place = place_of(kept.credential.practice_id, kept.credential.id, PREVIOUS)
    return Pair.opened(kept.previous_sealed, host().vault, place)


def _reason(pair: Pair) -> Reason:
    """Why a provider refuses a token: it grew too old, or somebody took it back."""
    ends: list[datetime] = [end for end in (pair.refresh_expires_at, pair.hard_expires_at) if end is not None]
    too_old = pair.refresh is None or any(end <= clock.now() for end in ends)
    return Reason.TOKEN_EXPIRED if too_old else Reason.REVOKED_AT_PROVIDER
