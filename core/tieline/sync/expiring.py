"""Connections that expire because of what a sync met: those of the organisation on the credential that met it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.states import Reason
from tieline.connections.writing import record_expired
from tieline.credentials.losing import lose_organisations
from tieline.credentials.repository import CredentialRepository
from tieline.plugins import Product
from tieline.sync.plan import Plan, Step, feed_names, working
from tieline.sync.runs import FailureReason
from tieline.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """`reason` is what the connections get; None where they have one already. `failure` is the run's.

    `unreached_at`: when the provider was asked and did not name the organisation any more.
    """

    failure: FailureReason
    reason: Reason | None = None
    unreached_at: datetime | None = None


CONSENT_GONE = Loss(failure=FailureReason.CONSENT_GONE)
ACCESS_LOST = Loss(failure=FailureReason.ACCESS_LOST, reason=Reason.ACCESS_LOST)
SCOPE_MISSING = Loss(failure=FailureReason.SCOPE_MISSING, reason=Reason.SCOPE_MISSING)
SUBSCRIPTION_LAPSED = Loss(failure=FailureReason.SUBSCRIPTION_LAPSED, reason=Reason.SUBSCRIPTION_LAPSED)


def unreached(at: datetime) -> Loss:
    return Loss(failure=FailureReason.REVOKED_AT_PROVIDER, reason=Reason.REVOKED_AT_PROVIDER, unreached_at=at)


async def expire(work: Work, plan: Plan, step: Step, loss: Loss) -> None:
    """Expire what this is about, with an event each. The organisation and the credential are locked."""
    if loss.unreached_at is not None:
        since = (await CredentialRepository.of(plan.practice_id).reach(step.credential_id)).get(
            plan.organisation_id
        )
        # What was consented to after the provider was asked is not in its answer, and is not lost.
        if since is None or since <= loss.unreached_at:
            await lose_organisations(work, plan.practice_id, step.credential_id, [plan.organisation_id])
    elif loss.reason is not None:
        expired = await ConnectionRepository.of(plan.practice_id).expire_of_credential(
            step.credential_id,
            loss.reason,
            at=work.now,
            organisation_ids=[plan.organisation_id],
            products=await _products(plan, step) if loss.reason is Reason.SCOPE_MISSING else None,
        )
        record_expired(work, expired, loss.reason)


async def goes_on(plan: Plan, step: Step) -> bool:
    """Whether something works still, and the feed is not read through this credential again."""
    left = await working(plan.practice_id, plan.organisation_id)
    return bool(left) and not any(_needs(plan, step, each) for each in left)


async def _products(plan: Plan, step: Step) -> list[Product]:
    """Those for which the feed is read through this credential."""
    standing = await working(plan.practice_id, plan.organisation_id)
    return [each.product for each in standing if _needs(plan, step, each)]


def _needs(plan: Plan, step: Step, connection: Connection) -> bool:
    wants = step.feed.name in feed_names(plan.provider, connection)
    return wants and connection.credential_id == step.credential_id
