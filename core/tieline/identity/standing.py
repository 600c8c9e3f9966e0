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
from tieline.practices.callers.repository import Caller, note_use, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """Who a line belongs to. `until` is when its token expires; keys are looked up with the rest."""

    practice_id: PracticeId
    person_id: PersonId | None
    api_key_id: ApiKeyId | None
    until: datetime | None

    @property
    def named(self) -> Caller:
        """The same for all lines of a person by one key, or by tokens."""
        return self.practice_id, self.person_id, self.api_key_id

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


async def still(callers: Sequence[Connected]) -> list[int | None]:
    """For each the number of its authority, or None where it may not go on: deactivated, removed, key or token over.

    One statement, which asks once for all lines of a caller. Once an hour, another one notes that keys are in use.
    """
    asked = list(dict.fromkeys(caller.named for caller in callers))
    async with system_scope():
        at = clock.now()
        places = await standing(asked, at=at)
        in_use = {asked[place][2] for place, found in places.items() if found.is_news}
        if keys := [key for key in in_use if key is not None]:
            await note_use(keys, at=at)
    numbers = {asked[place]: found.authority for place, found in places.items()}
    return [
        numbers.get(caller.named) if caller.until is None or at < caller.until else None for caller in callers
    ]
