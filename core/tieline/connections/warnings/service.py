"""Warning of connections that are about to expire, and expiring them for a consent that has run out."""

from __future__ import annotations

from collections.abc import Collection

from tieline import clock
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import ConnectionRepository
from tieline.connections.runs import settle_runs
from tieline.connections.states import MENDS_ITSELF, Reason
from tieline.connections.warnings.ends import Warned
from tieline.connections.warnings.repository import EndRepository
from tieline.connections.writing import record_expired
from tieline.credentials.repository import CredentialRepository
from tieline.database import scope
from tieline.events.kinds import ConnectionWarning, of_connection
from tieline.ids import ConnectionId, PracticeId
from tieline.log import get_logger
from tieline.principal import Principal
from tieline.work import Work, retrying, unit_of_work

log = get_logger(__name__)


async def list_warnings(principal: Principal, ids: Collection[ConnectionId]) -> list[Warned]:
    """What there is to warn of now, of those of these connections that the caller may see."""
    async with scope(principal.practice_id):
        found = await EndRepository.visible_to(principal).working(ids)
    at = clock.now()
    return [warning for each in found if (warning := each.warning(at)) is not None]


@retrying
async def warn(practice_id: PracticeId, *, most: int) -> int:
    """Tell of connections that are near their end, each mark once; how many that were."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        ends = EndRepository.of(practice_id)
        ids = await ends.find_news(at=work.now, most=most)
        if not ids:
            return 0
        locked = {each.id: each for each in await ConnectionRepository.of(practice_id).lock(ids)}
        told = [news for each in await ends.working(ids) if (news := each.news(work.now)) is not None]
        await ends.note(told)
        for each in told:
            connection = locked[each.connection_id]
            work.hint("connection", connection.id)
            work.event(
                ConnectionWarning(
                    **of_connection(connection),
                    reason=each.reason,
                    days=each.days,
                    expires_at=each.expires_at.isoformat(),
                )
            )
    return len(told)


@retrying
async def expire(practice_id: PracticeId, *, most: int) -> int:
    """Expire connections whose consent has run out, with an event each; how many that were.

    The consent stays as it was: the credential may reach the organisation still, but nobody agreed to that lately.
    """
    async with unit_of_work(Principal.machine(practice_id)) as work:
        ends = EndRepository.of(practice_id)
        ids = await ends.find_over(instead_of=MENDS_ITSELF, at=work.now, most=most)
        if not ids:
            return 0
        over = await _lock_over(work, practice_id, ids)
        expired = await ConnectionRepository.of(practice_id).expire_many(
            over, Reason.CONSENT_EXPIRED, at=work.now
        )
        record_expired(work, expired, Reason.CONSENT_EXPIRED)
        await settle_runs(
            work,
            practice_id,
            {each.organisation_id for each in expired},
            reason=Reason.CONSENT_EXPIRED,
        )
    log.info("connection.consent_expired", practice_id=str(practice_id), connections=len(expired))
    return len(expired)


async def _lock_over(
    work: Work, practice_id: PracticeId, ids: Collection[ConnectionId]
) -> list[ConnectionId]:
    """Those of these whose consent has run out, locked together with their organisations and credentials."""
    connections = ConnectionRepository.of(practice_id)
    there = await connections.get_many(ids)
    await OrganisationRepository.of(practice_id).lock({each.organisation_id for each in there})
    await CredentialRepository.of(practice_id).lock({each.credential_id for each in there})
    await connections.lock(ids)
    return await EndRepository.of(practice_id).over(ids, instead_of=MENDS_ITSELF, at=work.now)
