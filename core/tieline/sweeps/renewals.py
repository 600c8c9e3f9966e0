"""Tokens are renewed ahead, so that none lapses because nobody used it for long."""

from __future__ import annotations

from tieline.credentials.actors import finish_refresh
from tieline.ids import PracticeId
from tieline.principal import Principal
from tieline.sweeps.repository import find_stale
from tieline.work import retrying, unit_of_work

KEY = f"{finish_refresh.name}:"
"""What the keys of its jobs begin with."""


@retrying
async def renew(practice_id: PracticeId, *, most: int) -> int:
    """Queue a refresh of each credential whose tokens are old; how many that were."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        stale = await find_stale(practice_id, at=work.now, most=most, key=KEY)
        for credential_id, version in stale:
            work.enqueue(
                finish_refresh,
                key=str(credential_id),
                practice_id=str(practice_id),
                credential_id=str(credential_id),
                version=version,
                since=work.now.isoformat(),
            )
    return len(stale)
