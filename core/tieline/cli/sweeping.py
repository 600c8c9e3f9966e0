"""The sweep of what consents still reach, now instead of when it is due."""

from __future__ import annotations

from tieline.credentials.apps.repository import AppRepository
from tieline.credentials.looks import look_daily
from tieline.credentials.repository import CredentialRepository
from tieline.ids import PersonId, PracticeId
from tieline.lifespan import ready
from tieline.principal import Principal
from tieline.settings import Settings
from tieline.work import unit_of_work


async def sweep_now(settings: Settings, practice_id: PracticeId, person_id: PersonId) -> None:
    """Make the daily look at each of this person's live credentials due now; workers do it."""
    async with ready(settings), unit_of_work(Principal.machine(practice_id)) as work:
        credentials = CredentialRepository.of(practice_id)
        for app in await AppRepository.of(practice_id).all():
            for credential in await credentials.live_of_person(app.id, person_id):
                look_daily(work, practice_id, credential.id, due_at=work.now)
