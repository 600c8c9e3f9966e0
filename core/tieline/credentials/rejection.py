"""What happens when a provider refuses a credential for good: it dies, and all that hangs on it tells so, once."""

from __future__ import annotations

from tieline.connections.repository import ConnectionRepository
from tieline.connections.states import Reason
from tieline.credentials.repository import CredentialRepository
from tieline.events.kinds import ConnectionExpired
from tieline.ids import CredentialId, PracticeId
from tieline.log import get_logger
from tieline.principal import Principal
from tieline.sync.repository import cancel_runs
from tieline.work import retrying, unit_of_work

log = get_logger(__name__)


@retrying
async def credential_rejected(
    practice_id: PracticeId, credential_id: CredentialId, reason: Reason, version: int
) -> None:
    """Drop the credential's tokens and expire every connection on it that was fine, with an event each.

    Does nothing when the version has moved on, or when somebody did all this already.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        if not await CredentialRepository.of(practice_id).mark_dead(credential_id, reason, version=version):
            return
        expired = await ConnectionRepository.of(practice_id).expire_of_credential(
            credential_id, reason, at=work.now
        )
        for connection in expired:
            work.hint("connection", connection.id)
            work.event(
                ConnectionExpired(
                    client_id=connection.client_id,
                    connection_id=connection.id,
                    organisation_id=connection.organisation_id,
                    product=connection.product,
                    reason=reason,
                )
            )
        await cancel_runs(practice_id, credential_id=credential_id, reason=reason.value, at=work.now)
    log.warning(
        "credential.rejected", credential_id=str(credential_id), reason=reason.value, connections=len(expired)
    )
