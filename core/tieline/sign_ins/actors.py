"""The jobs of sign-ins: details of what one found, and the end of each."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from tieline.ids import PracticeId, SignInId
from tieline.sign_ins.details import read_details
from tieline.sign_ins.forgetting import end_sign_in
from tieline.work import Again, Lane, actor


@actor(lane=Lane.INTERACTIVE, limit=timedelta(seconds=120))
async def fetch_details(*, practice_id: str, sign_in_id: str) -> Again | None:
    """Read legal names, numbers and the like of the organisations that a sign-in found; a person watches."""
    return await read_details(PracticeId(UUID(practice_id)), SignInId(UUID(sign_in_id)))


@actor(lane=Lane.BACKGROUND, limit=timedelta(minutes=5))
async def forget_sign_in(*, practice_id: str, sign_in_id: str) -> Again | None:
    """End a sign-in when nothing of it can be used any more, and give back what nobody took."""
    return await end_sign_in(PracticeId(UUID(practice_id)), SignInId(UUID(sign_in_id)))
