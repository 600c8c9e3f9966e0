"""The SQL of what is being given back: a lease for each, so that one whose process died is over by itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from tieline.database import current
from tieline.ids import AppId, PracticeId

LEASE = timedelta(seconds=45)
"""How long giving back may take in real time; longer than its HTTP calls may, by what one takes to arrive."""

_HOLD = "SELECT id FROM provider_app WHERE practice_id = $1 AND id = $2 FOR SHARE"
_UNDER_WAY = """
SELECT EXISTS (SELECT FROM giving_back
                WHERE practice_id = $1 AND provider_app_id = $2 AND until > clock_timestamp())
"""
_STANDING = (
    "SELECT id FROM giving_back WHERE practice_id = $1 AND provider_app_id = $2 AND until > clock_timestamp()"
)
_STILL = """
SELECT EXISTS (SELECT FROM giving_back WHERE practice_id = $1 AND id = ANY ($2::uuid[]) AND until > clock_timestamp())
"""
_FORGET = """
DELETE FROM giving_back WHERE id = ANY (ARRAY (SELECT id FROM giving_back WHERE until <= clock_timestamp() LIMIT $1))
"""
_BEGIN = """
WITH lapsed AS (DELETE FROM giving_back WHERE practice_id = $1 AND provider_app_id = $2 AND until <= clock_timestamp())
INSERT INTO giving_back (practice_id, provider_app_id, id, until) VALUES ($1, $2, $3, clock_timestamp() + $4)
"""


class GivingBackRepository:
    """What one practice gives back at its providers at this moment."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> GivingBackRepository:
        return cls(practice_id)

    async def begin(self, app_id: AppId, id: UUID) -> None:
        """From the commit on nobody is sent to this app's consent page. The app's subjects are held."""
        await current().run(_BEGIN, self._practice_id, app_id, id, LEASE)

    async def end(self, id: UUID) -> None:
        await current().run(
            "DELETE FROM giving_back WHERE practice_id = $1 AND id = $2", self._practice_id, id
        )

    async def is_under_way(self, app_id: AppId) -> bool:
        """Whether something of this app is being given back. Its subjects are held."""
        found: bool = await current().value(_UNDER_WAY, self._practice_id, app_id)
        return found

    async def hold_off(self, app_id: AppId) -> frozenset[UUID]:
        """Until the transaction ends nobody begins to give back; what is being given back already."""
        await current().value(_HOLD, self._practice_id, app_id)
        return frozenset(row["id"] for row in await current().rows(_STANDING, self._practice_id, app_id))

    async def is_one_left(self, ids: Collection[UUID]) -> bool:
        """Whether one of these is not over yet."""
        found: bool = await current().value(_STILL, self._practice_id, list(ids))
        return found


async def forget_lapsed(*, limit: int) -> None:
    """Delete a batch of what nobody has ended, as its process died. System scope."""
    await current().run(_FORGET, limit)
