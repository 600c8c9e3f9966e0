"""The daily look at what a credential still reaches: what was removed at the provider is noticed, what is back too.

An organisation that it reaches no more is REVOKED_AT_PROVIDER. One that was, and is reached again, is set back; one
whose access was lost or whose subscription had lapsed is set back when its books can be opened again. Each of these is
tried once a day, a few in one go, in the order of their ids; within the hour once more where trouble that passes kept
one from being tried. Nothing is set back whose consent has run out meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline import clock
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.states import MENDS_ITSELF, Reason
from tieline.credentials.apps.service import provider_of
from tieline.credentials.asking import ask_details, ask_reached
from tieline.credentials.consents.repository import ConsentRepository
from tieline.credentials.looks import Place, look_at_once, look_daily
from tieline.credentials.losing import lose_organisations
from tieline.credentials.repository import Credential, CredentialRepository, Kept, State
from tieline.credentials.service import open_session
from tieline.database import scope
from tieline.errors import ConsentGone, ProviderError, ProviderUnavailable, QuotaSpent, Throttled
from tieline.ids import CredentialId, OrganisationId, PracticeId
from tieline.log import fields_of, get_logger
from tieline.plugins import Provider
from tieline.principal import Principal
from tieline.sign_ins.stock import restore
from tieline.sync.due.times import next_day
from tieline.work import Again, Lane, Work, retrying, unit_of_work

_SET_BACK = MENDS_ITSELF | {Reason.REVOKED_AT_PROVIDER}
_PASSES = (ProviderUnavailable, Throttled, QuotaSpent)
_SOON = timedelta(hours=1)
_SECONDS = 60.0
_MAX_TRIED = 20
_TRYING_SECONDS = 120.0

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """A live credential and what we believe of it: what it reaches, its organisations, its connections that are bad.

    `is_at_once`: somebody asked for this look, beside the daily one.
    """

    kept: Kept
    is_at_once: bool
    reach: frozenset[OrganisationId]
    organisations: tuple[Organisation, ...]
    bad: tuple[Connection, ...]

    @property
    def provider(self) -> Provider:
        return provider_of(self.kept.app)

    def shut(self, reached: Collection[OrganisationId], after: OrganisationId | None) -> list[Organisation]:
        """Those of these whose books could not be opened, and whose turn is after that one's."""
        shut = {each.organisation_id for each in self.bad if each.reason in MENDS_ITSELF}
        maybe = [each for each in self.organisations if each.id in reached and each.id in shut]
        return sorted((each for each in maybe if after is None or each.id > after), key=lambda each: each.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What the provider said, and when it was asked."""

    asked_at: datetime
    reached: frozenset[OrganisationId]


async def check_reach(
    practice_id: PracticeId,
    credential_id: CredentialId,
    *,
    after: OrganisationId | None = None,
    is_troubled: bool = False,
    at_once: bool = False,
) -> Again | None:
    """Ask and write down what changed, and try some of what is shut; again tomorrow, or never when it has ended.

    With `after` it goes on amid a day's tries, behind that one; `is_troubled`: one of those before could not be tried.
    `at_once`: it is not the daily one, but a look that somebody waits for; tomorrow's is not its business.
    """
    known = await _known(practice_id, credential_id, at_once=at_once)
    if known is None:
        return None
    if after is not None:
        return await _try(known, known.shut(known.reach, after), is_begun=True, is_troubled=is_troubled)
    try:
        seen = await _look(known)
    except ConsentGone:
        return None
    except ProviderError as error:
        log.warning("credential.reach_unknown", credential_id=str(credential_id), **fields_of(error))
        return _again(known, is_troubled=isinstance(error, _PASSES))
    await _write_down(known, seen)
    return await _try(known, known.shut(seen.reached, None), is_begun=False)


async def _known(practice_id: PracticeId, credential_id: CredentialId, *, at_once: bool) -> _Known | None:
    async with scope(practice_id):
        credentials = CredentialRepository.of(practice_id)
        kept = await credentials.kept(credential_id)
        if kept is None or kept.credential.state is State.DEAD:
            return None
        current = await ConnectionRepository.of(practice_id).current_of_credential(credential_id)
        reach = frozenset(await credentials.reach(credential_id))
        ids = {*reach, *(each.organisation_id for each in current)}
        organisations = await OrganisationRepository.of(practice_id).get_many(ids)
    bad = tuple(each for each in current if each.reason in _SET_BACK)
    return _Known(kept=kept, is_at_once=at_once, reach=reach, organisations=tuple(organisations), bad=bad)


async def _look(known: _Known) -> _Seen:
    """One call. Raises ProviderError."""
    credential, asked_at = known.kept.credential, clock.now()
    session = await open_session(credential.practice_id, credential.id, lane=Lane.BACKGROUND)
    try:
        async with asyncio.timeout(_SECONDS):
            found = await ask_reached(known.provider, session)
    except TimeoutError:
        raise ProviderUnavailable(known.kept.app.provider) from None
    named = {each.external_id for each in found}
    reached = frozenset(each.id for each in known.organisations if each.external_id in named)
    return _Seen(asked_at=asked_at, reached=reached)


async def _try(
    known: _Known, shut: Sequence[Organisation], *, is_begun: bool, is_troubled: bool = False
) -> Again | None:
    """Open the first of these; soon the others; all again tomorrow, or within the hour where one could not be tried.

    `is_begun`: the job remembers where it was.
    """
    tried, opened = await _opened(known, shut[:_MAX_TRIED])
    good = [each for each, is_open in opened.items() if is_open]
    if good:
        await _set_back(known, good)
    is_troubled = is_troubled or None in opened.values()
    if tried < len(shut):
        await _remember(known, shut[tried - 1].id, is_troubled=is_troubled, due_at=clock.now())
        return None
    again = _again(known, is_troubled=is_troubled)
    if is_begun and again is not None:
        await _remember(known, None, is_troubled=False, due_at=again.at)
        return None
    return again


def _again(known: _Known, *, is_troubled: bool) -> Again | None:
    """When to look next; a look that was asked for is not repeated, but for trouble that passes."""
    if is_troubled:
        return Again(clock.now() + _SOON)
    return None if known.is_at_once else Again(next_day(clock.now()))


async def _opened(
    known: _Known, shut: Sequence[Organisation]
) -> tuple[int, dict[OrganisationId, bool | None]]:
    """One call for each, as far as the time goes: how many had their turn, and which are open; None: nobody knows."""
    tried, opened = 0, dict[OrganisationId, bool | None]()
    with suppress(TimeoutError):
        async with asyncio.timeout(_TRYING_SECONDS):
            for each in shut:
                tried += 1
                opened[each.id] = None
                opened[each.id] = await _is_open(known, each)
    return tried, opened


async def _is_open(known: _Known, organisation: Organisation) -> bool | None:
    """None where trouble that passes kept the provider from saying."""
    credential = known.kept.credential
    try:
        session = await open_session(
            credential.practice_id,
            credential.id,
            organisation=organisation.external_id,
            lane=Lane.BACKGROUND,
        )
        async with asyncio.timeout(_SECONDS):
            await ask_details(known.provider, session)
    except (ProviderError, TimeoutError) as error:
        log.info("credential.not_open", organisation_id=str(organisation.id), **fields_of(error))
        return None if isinstance(error, (*_PASSES, TimeoutError)) else False
    return True


@retrying
async def _remember(
    known: _Known, after: OrganisationId | None, *, is_troubled: bool, due_at: datetime
) -> None:
    """Have this job go on then, behind that organisation."""
    credential = known.kept.credential
    place: Place | None = None if after is None else {"after": str(after), "is_troubled": is_troubled}
    queued = look_at_once if known.is_at_once else look_daily
    async with unit_of_work(Principal.machine(credential.practice_id)) as work:
        queued(work, credential.practice_id, credential.id, due_at=due_at, place=place)


@retrying
async def _write_down(known: _Known, seen: _Seen) -> None:
    """What is reached no more is lost, and what had been lost and is reached again is set back."""
    practice_id = known.kept.credential.practice_id
    async with unit_of_work(Principal.machine(practice_id)) as work:
        credential = await _lock(known)
        if credential is None:
            return
        ids = {each.id for each in known.organisations}
        reach = await CredentialRepository.of(practice_id).reach(credential.id)
        # What was consented to after the provider was asked is not in its answer, and is not lost.
        lost = [
            organisation_id
            for organisation_id, since in reach.items()
            if organisation_id in ids - seen.reached and since <= seen.asked_at
        ]
        if lost:
            await lose_organisations(work, practice_id, credential.id, lost)
        await _mend(work, known, credential, frozenset({Reason.REVOKED_AT_PROVIDER}), seen.reached)


@retrying
async def _set_back(known: _Known, opened: Collection[OrganisationId]) -> None:
    """These could be opened."""
    async with unit_of_work(Principal.machine(known.kept.credential.practice_id)) as work:
        credential = await _lock(known)
        if credential is not None:
            await _mend(work, known, credential, MENDS_ITSELF, opened)


async def _lock(known: _Known) -> Credential | None:
    """The credential, locked after all that is known of it; None when it has ended."""
    credential = known.kept.credential
    await OrganisationRepository.of(credential.practice_id).lock({each.id for each in known.organisations})
    locked = await CredentialRepository.of(credential.practice_id).lock([credential.id])
    return next((each for each in locked if each.state is not State.DEAD), None)


async def _mend(
    work: Work,
    known: _Known,
    credential: Credential,
    reasons: Collection[Reason],
    good: Collection[OrganisationId],
) -> None:
    """Set back what is bad at these organisations for one of these reasons still, unless its consent has run out."""
    practice_id = credential.practice_id
    locked = [
        each
        for each in await ConnectionRepository.of(practice_id).lock([each.id for each in known.bad])
        if each.ended_at is None and each.credential_id == credential.id
    ]
    over = await ConsentRepository.of(practice_id).over(
        [(credential.id, each.organisation_id) for each in locked], at=work.now
    )
    mended = [
        each
        for each in locked
        if each.reason in reasons
        and each.organisation_id in good
        and (credential.id, each.organisation_id) not in over
        and known.provider.oauth.covers(credential.scopes, each.product)
    ]
    if mended:
        back = {each.organisation_id: False for each in mended}
        await CredentialRepository.of(practice_id).set_reach(credential.id, back, at=work.now)
        await restore(work, credential, mended, None)
