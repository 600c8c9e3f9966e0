"""What a person may has changed: whoever holds a line open for it looks again, and so does who changes others."""

from __future__ import annotations

from collections.abc import Collection

from tieline.errors import AdminNeeded, Unauthenticated
from tieline.ids import PersonId, PracticeId
from tieline.practices.callers.repository import standing
from tieline.practices.repository import PracticeRepository
from tieline.principal import Principal, Role
from tieline.work import Work

TOPIC = "authority"


async def change_authority(work: Work, practice_id: PracticeId, people: Collection[PersonId]) -> None:
    """Raise the number of each by one, and tell of it once this has committed."""
    if not people:
        return
    await PracticeRepository.of(practice_id).raise_authority(people)
    for person_id in people:
        work.hint(TOPIC, person_id)


async def hold_practice(work: Work, principal: Principal) -> PracticeRepository:
    """The practice, in which nobody else changes who may what until the transaction ends; see `require_standing`."""
    practice = PracticeRepository.of(principal.practice_id)
    await practice.lock()
    await require_standing(work, principal)
    return practice


async def require_standing(work: Work, principal: Principal) -> None:
    """Under the practice's lock: the caller may have lost its place, or its key, since it was let in.

    Raises Unauthenticated, and AdminNeeded for who was an admin then.
    """
    if principal.is_machine:
        return
    caller = (principal.practice_id, principal.person_id, principal.api_key_id)
    still = (await standing([caller], at=work.now)).get(0)
    if still is None:
        raise Unauthenticated
    if principal.is_admin and still.role is not Role.ADMIN:
        raise AdminNeeded
