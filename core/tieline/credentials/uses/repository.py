"""The SQL of what still uses an organisation through a credential, or the credential at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tieline.database import current
from tieline.ids import ConnectionId, CredentialId, OrganisationId, PracticeId


@dataclass(frozen=True, kw_only=True, slots=True)
class Uses:
    """`connected`: a connection that nobody disconnected. `until`: a sign-in may use it up to then, at the latest.

    `live`: the credential is one that works; of a dead one there is nothing to let go of.
    """

    connected: bool
    until: datetime | None
    live: bool


USES = "k.ended_at IS NULL AND (k.reason IS NULL OR k.reason <> 'DISCONNECTED')"
"""Of a connection `k`: whether it uses its credential, so that nothing it hangs on may be let go of."""

# A usable sign-in that has it, or a consent of the same subject that somebody may still take. Sign-ins are found by
# their key alone: no statistics can make another index look as good.
_LOOK = f"""
SELECT EXISTS (SELECT FROM connection AS k
                WHERE k.practice_id = $1 AND k.credential_id = $2 AND {USES}
                  AND ($3::uuid IS NULL OR k.organisation_id = $3)
                  AND ($5::uuid IS NULL OR k.id <> $5)) AS connected,
       greatest(
         (SELECT max((SELECT s.usable_until FROM sign_in AS s
                       WHERE s.practice_id = $1 AND s.id = f.sign_in_id AND s.usable_until > $4))
            FROM sign_in_organisation AS f
           WHERE f.practice_id = $1 AND f.credential_id = $2 AND ($3::uuid IS NULL OR f.organisation_id = $3)),
         (SELECT max(r.proof_until) FROM consent_round AS r
           WHERE r.practice_id = $1 AND r.outcome = 'GRANTED' AND r.taken_at IS NULL AND r.proof_until > $4
             AND r.subject = (SELECT c.subject FROM credential AS c WHERE c.practice_id = $1 AND c.id = $2)
             AND (SELECT s.provider_app_id FROM sign_in AS s WHERE s.practice_id = $1 AND s.id = r.sign_in_id) =
                 (SELECT c.provider_app_id FROM credential AS c WHERE c.practice_id = $1 AND c.id = $2))) AS until,
       EXISTS (SELECT FROM credential AS c WHERE c.practice_id = $1 AND c.id = $2 AND c.state = 'LIVE') AS live
"""


async def uses_of_organisation(
    practice_id: PracticeId,
    credential_id: CredentialId,
    organisation_id: OrganisationId,
    *,
    at: datetime,
    apart_from: ConnectionId | None = None,
) -> Uses:
    """What uses the organisation through this credential at this calendar instant, but for one connection."""
    return await _uses(practice_id, credential_id, organisation_id, at, apart_from)


async def uses_of_credential(
    practice_id: PracticeId,
    credential_id: CredentialId,
    *,
    at: datetime,
    apart_from: ConnectionId | None = None,
) -> Uses:
    """What uses the credential, or waits with tokens of its subject, but for one connection."""
    return await _uses(practice_id, credential_id, None, at, apart_from)


async def _uses(
    practice_id: PracticeId,
    credential_id: CredentialId,
    organisation_id: OrganisationId | None,
    at: datetime,
    apart_from: ConnectionId | None,
) -> Uses:
    row = await current().row(_LOOK, practice_id, credential_id, organisation_id, at, apart_from)
    return Uses(connected=row["connected"], until=row["until"], live=row["live"])
