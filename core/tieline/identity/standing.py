"""Whether those who stay connected are still who they were: asked for all of them at once, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tieline import clock
from tieline.database import system_scope
from tieline.identity.bearer import authenticate, identify
from tieline.ids import ApiKeyId, PersonId, PracticeId
from tieline.practices.callers.repository import note_use, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """Who a line belongs to. `until` is when its token expires; keys are looked up with the rest."""

    practice_id: PracticeId
    person_id: PersonId | None
    api_key_id: ApiKeyId | None
    until: datetime | None

    @property
    def hinted_by(self) -> list[UUID]:
        """The ids that hints about it carry."""
        return [each for each in (self.person_id, self.api_key_id) if each is not None]


async def connected(token: str | None, practice: str | None) -> Connected:
    """Who connects with this token. Raises as `authenticate` does."""
    principal = await authenticate(token, practice)
    by_key = principal.api_key_id is not None
    return Connected(
        practice_id=principal.practice_id,
        person_id=principal.person_id,
        api_key_id=principal.api_key_id,
        until=None if by_key else (await identify(token)).expires_at,
    )


async def still(callers: Sequence[Connected]) -> list[bool]:
    """For each, whether it may go on: not deactivated, not removed, its key or token not over. One statement.

    Once an hour, another one notes that their keys are in use.
    """
    async with system_scope():
        at = clock.now()
        places = await standing(
            [(caller.practice_id, caller.person_id, caller.api_key_id) for caller in callers], at=at
        )
        in_use = {callers[place].api_key_id for place, found in places.items() if found.is_news}
        if keys := [key for key in in_use if key is not None]:
            await note_use(keys, at=at)
    return [
        place in places and (caller.until is None or at < caller.until)
        for place, caller in enumerate(callers)
    ]
