"""Where the tokens of a consent go whose subject is known: to the credential of that subject, else into the round."""

from __future__ import annotations

from dataclasses import dataclass, field

from tieline.credentials.apps.repository import App
from tieline.credentials.pairs import Pair
from tieline.credentials.repository import CredentialRepository, State
from tieline.credentials.service import keep_consent
from tieline.host import host
from tieline.ids import CredentialId, PersonId, RoundId
from tieline.log import get_logger
from tieline.plugins import Subject
from tieline.sign_ins.places import tokens_place
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.vault import SealBroken
from tieline.work import Work

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Who holds the tokens: a credential, or the round that they are sealed for."""

    credential_id: CredentialId | None
    sealed: bytes | None = field(repr=False)


async def hold_tokens(
    work: Work,
    app: App,
    round_id: RoundId,
    pair: Pair,
    subject: Subject,
    *,
    person_id: PersonId,
    only_live: bool,
) -> Held:
    """Put the pair where this subject's are. Its app's subjects are held. `only_live`: a dead credential stays dead."""
    credential_id = await _renew(work, app, pair, subject, person_id=person_id, only_live=only_live)
    if credential_id is not None:
        return Held(credential_id=credential_id, sealed=None)
    newest = await _renew_waiting(app, pair, subject)
    return Held(credential_id=None, sealed=sealed_for(app, round_id, newest))


def sealed_for(app: App, round_id: RoundId, pair: Pair) -> bytes:
    """The pair as this round holds it."""
    return pair.sealed(host().vault, tokens_place(app.practice_id, round_id))


async def _renew(
    work: Work, app: App, pair: Pair, subject: Subject, *, person_id: PersonId, only_live: bool
) -> CredentialId | None:
    """The credential of this subject, if there is one, with the new pair: a new consent may have ended the old one."""
    there = await CredentialRepository.of(app.practice_id).by_subject(app.id, subject.id)
    if there is None or (only_live and there.state is State.DEAD):
        return None
    kept = await keep_consent(work, app, pair, subject, person_id=person_id, takes_over=False)
    return kept.id


async def _renew_waiting(app: App, pair: Pair, subject: Subject) -> Pair:
    """The newest pair of this subject, which all its rounds hold from now on, for the same reason."""
    rounds = RoundRepository.of(app.practice_id)
    waiting = await rounds.waiting(app.id, subject.id)
    others = (_opened(app, round_id, sealed) for round_id, sealed in waiting.items())
    newest = max((pair, *filter(None, others)), key=lambda each: each.obtained_at)
    for round_id in waiting:
        await rounds.replace_tokens(round_id, sealed_for(app, round_id, newest))
    return newest


def _opened(app: App, round_id: RoundId, sealed: bytes) -> Pair | None:
    """None for what cannot be opened any more: there is a newer one to put in its place."""
    try:
        return Pair.opened(sealed, host().vault, tokens_place(app.practice_id, round_id))
    except SealBroken:
        _log.warning("sign_in.seal_broken", round_id=str(round_id))
        return None
