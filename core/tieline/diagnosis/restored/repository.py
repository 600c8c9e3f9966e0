"""The SQL of a database that came out of a backup, over all practices: for the system scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieline.database import current
from tieline.ids import CredentialId, PracticeId


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A live credential of a practice, and the version of its tokens."""

    practice_id: PracticeId
    credential_id: CredentialId
    version: int


_LOGINS = """
SELECT practice_id, id AS credential_id, version FROM credential WHERE state = 'LIVE' ORDER BY practice_id, id
"""


async def forget_events(*, limit: int) -> int:
    """Delete a batch of events, whose order is the old server's; how many that were."""
    return await current().run(
        "DELETE FROM event USING (SELECT position FROM event LIMIT $1) AS old WHERE event.position = old.position",
        limit,
    )


async def begin_feed() -> None:
    """A feed that no cursor is of."""
    await current().run("UPDATE feed SET epoch = gen_random_uuid(), pruned_below = '0'")


async def free_jobs() -> int:
    """Take all jobs from workers of the old deployment; how many they had."""
    return await current().run(
        "UPDATE job SET lease_owner = NULL, lease_until = NULL, rung_at = NULL, fence = fence + 1 "
        "WHERE lease_owner IS NOT NULL"
    )


async def free_logins() -> None:
    """Take credentials from whoever was renewing their tokens in the old deployment."""
    await current().run(
        "UPDATE credential SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL"
    )


async def logins() -> Sequence[Login]:
    """All live credentials, practice by practice."""
    return [Login(**dict(row)) for row in await current().rows(_LOGINS)]
