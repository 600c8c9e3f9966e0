"""Seeing a refresh through: tried again, at growing pauses, while the provider may still take the old token."""

from __future__ import annotations

from datetime import datetime, timedelta

from tieline import clock
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
        return _later(since)
    return None


def _later(since: datetime) -> Again | None:
    """As long again as it has taken so far."""
    so_far = clock.now() - since
    if so_far > _AT_MOST:
        return None
    return Again(clock.now() + min(max(so_far, _FIRST_PAUSE), _LONGEST_PAUSE))
