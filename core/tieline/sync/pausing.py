"""What a practice's admins do with the syncs that come by themselves: pause them all, and let them come again.

What people ask for goes on meanwhile, and so do first readings and what is being read already. What falls due waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from tieline.activity.kinds import SyncsPaused, SyncsResumed
from tieline.practices.authority import hold_practice
from tieline.practices.repository import Practice
from tieline.principal import Principal
from tieline.sync.due.repository import cancel_waiting
from tieline.sync.repository import set_next_syncs
from tieline.webhooks.service import sync_what_waited
from tieline.work import retrying, unit_of_work

_REASON = "SYNCS_PAUSED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Paused:
    """The practice as it is now, and how many runs ended that were due and had not begun."""

    practice: Practice
    cancelled: int


@retrying
async def pause_syncs(principal: Principal) -> Paused:
    """Let nothing be synced that nobody asks for; the same again changes nothing. Raises Forbidden."""
    principal.require_admin()
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        standing = await practice.get()
        if standing.syncs_paused_at is not None:
            return Paused(practice=standing, cancelled=0)

        await practice.set_syncs_paused(work.now)
        cancelled = await cancel_waiting(standing.id, reason=_REASON, at=work.now)
        await set_next_syncs(standing.id, dict.fromkeys(cancelled.values(), work.now))
        for run_id in cancelled:
            work.hint("sync_run", run_id)
        work.did(SyncsPaused(practice_id=standing.id, cancelled=len(cancelled)))
        return Paused(practice=await practice.get(), cancelled=len(cancelled))


@retrying
async def resume_syncs(principal: Principal) -> Practice:
    """Let syncs come by themselves again: the next look finds what fell due. The same again changes nothing.

    Raises Forbidden.
    """
    principal.require_admin()
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        standing = await practice.get()
        if standing.syncs_paused_at is None:
            return standing

        await practice.set_syncs_paused(None)
        await sync_what_waited(work, standing.id)
        work.did(SyncsResumed(practice_id=standing.id))
        return await practice.get()
