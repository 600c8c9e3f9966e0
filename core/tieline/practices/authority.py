"""What a person may has changed: whoever holds a line open for it looks again."""

from __future__ import annotations

from collections.abc import Collection

from tieline.ids import PersonId, PracticeId
from tieline.practices.repository import PracticeRepository
from tieline.work import Work

TOPIC = "authority"


async def change_authority(work: Work, practice_id: PracticeId, people: Collection[PersonId]) -> None:
    """Raise the number of each by one, and tell of it once this has committed."""
    if not people:
        return
    await PracticeRepository.of(practice_id).raise_authority(people)
    for person_id in people:
        work.hint(TOPIC, person_id)
