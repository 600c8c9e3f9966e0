"""The sweeps as jobs, one of each for the deployment; any number of workers may run one at once."""

from __future__ import annotations

from datetime import timedelta

from tieline import clock
from tieline.connections.states import MENDS_ITSELF
from tieline.connections.warnings import service as warnings
from tieline.connections.warnings.repository import practices_with_news, practices_with_over
from tieline.plugins.limits import MONTH
from tieline.sweeps import renewals, repository
from tieline.sweeps.rounds import hourly, prune
from tieline.work import Again, Lane, actor

_LIMIT = timedelta(minutes=5)
_COUNTING_DAYS = MONTH.days + 2
"""A day's calls count until a month after its end, and some seconds."""


@actor(lane=Lane.BACKGROUND, limit=_LIMIT, recurs=True)
async def expire_consents() -> Again:
    """Expire connections whose consent has run out."""
    return await hourly(lambda: practices_with_over(instead_of=MENDS_ITSELF, at=clock.now()), warnings.expire)


@actor(lane=Lane.BACKGROUND, limit=_LIMIT, recurs=True)
async def warn_ahead() -> Again:
    """Warn of connections that are about to expire."""
    return await hourly(lambda: practices_with_news(at=clock.now()), warnings.warn)


@actor(lane=Lane.BACKGROUND, limit=_LIMIT, recurs=True)
async def renew_ahead() -> Again:
    """Queue a refresh of tokens that nobody has renewed for long."""
    return await hourly(
        lambda: repository.practices_with_stale(at=clock.now(), key=renewals.KEY), renewals.renew
    )


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_runs(*, keep_days: int) -> Again:
    """Forget syncs that were over long ago."""
    return await prune(repository.prune_runs, keep_days=keep_days)


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_sign_ins(*, keep_days: int) -> Again:
    """Forget sign-ins that ended long ago."""
    return await prune(repository.prune_sign_ins, keep_days=keep_days)


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_tombstones(*, keep_days: int) -> Again:
    """Forget records that have been gone for long."""
    return await prune(repository.prune_tombstones, keep_days=keep_days)


@actor(lane=Lane.BACKGROUND, recurs=True)
async def prune_meters() -> Again:
    """Forget days that no longer count for a month."""
    return await prune(repository.prune_meters, keep_days=_COUNTING_DAYS)
