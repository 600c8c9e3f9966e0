"""Who is shown for a credential, and so for every connection that hangs on it: told of each where that changes."""

from __future__ import annotations

from collections.abc import Collection

from tieline.connections.repository import ConnectionRepository
from tieline.connections.writing import record_handed
from tieline.credentials.repository import CredentialRepository
from tieline.ids import CredentialId, PersonId, PracticeId
from tieline.work import Work


async def hand_over(
    work: Work, practice_id: PracticeId, credential_ids: Collection[CredentialId], person_id: PersonId
) -> None:
    """From now on this person is the one who signed in with these credentials, which are locked."""
    handed = await CredentialRepository.of(practice_id).hand_to(credential_ids, person_id)
    if handed:
        record_handed(work, await ConnectionRepository.of(practice_id).current_of_credentials(handed))
