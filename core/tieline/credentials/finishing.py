"""Seeing a refresh through: tried again, at growing pauses, for a day.

Where an answer was lost, the token that we have is good only while the provider's `rotation_grace` lasts. So a last
try falls just before its end. Trying on after it harms nobody and tells the truth: a token that is refused then ends
the credential at once, and not at the moment when somebody next needs it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tieline import clock
from tieline.credentials.apps.service import provider_of
from tieline.credentials.repository import CredentialRepository, State
from tieline.credentials.tokens import renew_once
from tieline.database import scope
from tieline.errors import ConsentGone, ProviderError
from tieline.ids import CredentialId, PracticeId
from tieline.log import fields_of, get_logger
from tieline.work import Again

_LEASED_PAUSE = timedelta(seconds=5)
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_LAST_CHANCE = timedelta(minutes=1)  # before the grace is over
_AT_MOST = timedelta(days=1)  # whoever needs the credential after that tries by itself

log = get_logger(__name__)


async def finish_refresh(
    practice_id: PracticeId, credential_id: CredentialId, *, version: int, since: datetime
) -> Again | None:
    """Refresh the pair of this version unless that is done. `since`: when it was first tried."""
    async with scope(practice_id):
        kept = await CredentialRepository.of(practice_id).kept(credential_id)
    if kept is None or kept.credential.state is State.DEAD or kept.credential.version != version:
        return None
    if kept.is_leased:
        return Again(clock.now() + _LEASED_PAUSE)
    try:
        await renew_once(practice_id, credential_id, version=version, backed=True)
    except ConsentGone:
        return None
    except ProviderError as error:
        log.warning("credential.not_refreshed", credential_id=str(credential_id), **fields_of(error))
        return _later(since, provider_of(kept.app).oauth.rotation_grace)
    return None


def _later(since: datetime, grace: timedelta) -> Again | None:
    """As long again as it has taken so far, but once more before the grace is over."""
    now = clock.now()
    if now - since > _AT_MOST:
        return None
    at, last_chance = now + min(max(now - since, _FIRST_PAUSE), _LONGEST_PAUSE), since + grace - _LAST_CHANCE
    return Again(last_chance if now < last_chance < at else at)
