"""The jobs of credentials: finish a refresh that was cut off, let go of what nobody uses.

What they do is imported when they run: those modules queue these very jobs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from tieline.ids import CredentialId, OrganisationId, PracticeId
from tieline.work import Again, Lane, actor


@actor(lane=Lane.BACKGROUND, limit=timedelta(seconds=120))
async def finish_refresh(*, practice_id: str, credential_id: str, version: int, since: str) -> Again | None:
    """Refresh again while the tokens are still those of this version: whoever was to do so may have died."""
    from tieline.credentials import finishing

    return await finishing.finish_refresh(
        PracticeId(UUID(practice_id)),
        CredentialId(UUID(credential_id)),
        version=version,
        since=datetime.fromisoformat(since),
    )


@actor(lane=Lane.BACKGROUND)
async def release_organisation(*, practice_id: str, credential_id: str, organisation_id: str) -> Again | None:
    """Decide that this credential shall not reach the organisation any more, once nothing uses it."""
    from tieline.credentials import letting_go

    return await letting_go.release_organisation(
        PracticeId(UUID(practice_id)),
        CredentialId(UUID(credential_id)),
        OrganisationId(UUID(organisation_id)),
    )


@actor(lane=Lane.BACKGROUND, limit=timedelta(seconds=120))
async def release_at_provider(
    *, practice_id: str, credential_id: str, organisation_id: str, trouble_since: str | None = None
) -> Again | None:
    """Let go of the organisation at the provider, unless somebody has come back to it meanwhile."""
    from tieline.credentials import letting_go

    return await letting_go.release_at_provider(
        PracticeId(UUID(practice_id)),
        CredentialId(UUID(credential_id)),
        OrganisationId(UUID(organisation_id)),
        trouble_since=_instant(trouble_since),
    )


@actor(lane=Lane.BACKGROUND, limit=timedelta(minutes=5), recurs=True)
async def check_reach(
    *,
    practice_id: str,
    credential_id: str,
    after: str | None = None,
    is_troubled: bool = False,
    at_once: bool = False,
) -> Again | None:
    """Ask, once a day or because somebody waits for it, which organisations this credential still reaches."""
    from tieline.credentials import reaching

    return await reaching.check_reach(
        PracticeId(UUID(practice_id)),
        CredentialId(UUID(credential_id)),
        after=None if after is None else OrganisationId(UUID(after)),
        is_troubled=is_troubled,
        at_once=at_once,
    )


@actor(lane=Lane.BACKGROUND)
async def let_go_credential(
    *, practice_id: str, credential_id: str, trouble_since: str | None = None
) -> Again | None:
    """End the credential here and its token at the provider, once nothing uses its subject."""
    from tieline.credentials import letting_go

    return await letting_go.let_go_credential(
        PracticeId(UUID(practice_id)),
        CredentialId(UUID(credential_id)),
        trouble_since=_instant(trouble_since),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
