"""What happens when a credential reaches an organisation no more: whatever hangs on it there was revoked."""

from __future__ import annotations

from collections.abc import Collection

from tieline.connections.repository import ConnectionRepository
from tieline.connections.runs import settle_runs
from tieline.connections.states import Reason
from tieline.connections.writing import record_expired
from tieline.credentials.repository import CredentialRepository
from tieline.ids import CredentialId, OrganisationId, PracticeId
from tieline.sign_ins.repository import SignInRepository
from tieline.work import Work


async def lose_organisations(
    work: Work, practice_id: PracticeId, credential_id: CredentialId, lost: Collection[OrganisationId]
) -> None:
    """Neither sign-ins nor connections have these through the credential any more. They are locked, and it is."""
    await CredentialRepository.of(practice_id).lose_reach(credential_id, lost, at=work.now)
    await SignInRepository.of(practice_id).lose(credential_id, list(lost))
    expired = await ConnectionRepository.of(practice_id).expire_of_credential(
        credential_id, Reason.REVOKED_AT_PROVIDER, at=work.now, organisation_ids=lost
    )
    record_expired(work, expired, Reason.REVOKED_AT_PROVIDER)
    await settle_runs(work, practice_id, lost, reason=Reason.REVOKED_AT_PROVIDER)
