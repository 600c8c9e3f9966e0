"""What happens when a provider refuses a credential for good: it dies, and all that hangs on it tells so, once."""

from __future__ import annotations

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import ConnectionRepository
from tieline.connections.runs import settle_runs
from tieline.connections.states import MENDS_ITSELF, Reason
from tieline.connections.writing import record_expired
from tieline.credentials.repository import CredentialRepository
from tieline.errors import Busy
from tieline.ids import CredentialId, PracticeId
from tieline.log import get_logger
from tieline.principal import Principal
from tieline.work import retrying, unit_of_work

log = get_logger(__name__)


@retrying
async def credential_rejected(
    practice_id: PracticeId, credential_id: CredentialId, reason: Reason, version: int
) -> None:
    """Drop the credential's tokens and expire every connection on it that was fine, with an event each.

    One that would have mended itself cannot any more, and gets the reason too. Does nothing when the version has
    moved on, or when somebody did all this already.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        connections = ConnectionRepository.of(practice_id)
        reached = await connections.organisations_of(credential_id)
        await OrganisationRepository.of(practice_id).lock(reached)
        if not await CredentialRepository.of(practice_id).mark_dead(credential_id, reason, version=version):
            return
        expired = await connections.expire_of_credential(
            credential_id, reason, at=work.now, instead_of=MENDS_ITSELF
        )
        if any(each.organisation_id not in reached for each in expired):
            raise Busy  # connected while the organisations were being locked: with all of them, once more
        record_expired(work, expired, reason)
        await settle_runs(work, practice_id, reached, reason=reason)
    log.warning(
        "credential.rejected", credential_id=str(credential_id), reason=reason.value, connections=len(expired)
    )
