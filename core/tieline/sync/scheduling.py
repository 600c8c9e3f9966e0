"""Organisations that are due get a run: looked for every minute, in all practices, a few of each at a time.

What falls due before the next look but one is queued ahead, with a job that is due at that very instant: so from then
on its practice's turn decides, and not when somebody looked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta

from tieline import clock
from tieline.connections.repository import ConnectionRepository
from tieline.connections.runs import queue_syncs
from tieline.database import system_scope
from tieline.errors import ClaimLost, TryAgain
from tieline.ids import OrganisationId, PracticeId
from tieline.log import fields_of, get_logger
from tieline.principal import Principal
from tieline.sync.due.repository import due_organisations, syncs_by_itself, take_due
from tieline.sync.due.times import next_day, starts
from tieline.sync.repository import set_next_syncs
from tieline.sync.runs import Trigger
from tieline.work import Again, retrying, unit_of_work

EVERY = timedelta(minutes=1)
AHEAD = 2 * EVERY
BATCH = 100
_SECONDS = 45.0

log = get_logger(__name__)


async def queue_due() -> Again:
    """Queue what is due; again at once where that took too long, else in a minute."""
    loop = asyncio.get_running_loop()
    over_at = loop.time() + _SECONDS
    while await _round():
        if loop.time() >= over_at:
            return Again(clock.now())
    return Again(clock.now() + EVERY)


async def _round() -> bool:
    """A batch of each practice; whether some practice may have more."""
    async with system_scope():
        found = await due_organisations(at=clock.now() + AHEAD, most=BATCH)
    more = False
    for practice_id, organisation_ids in found.items():
        try:
            queued = await _queue(practice_id, organisation_ids)
        except ClaimLost:
            raise
        except TryAgain as error:
            log.warning("sync.not_queued", practice_id=str(practice_id), **fields_of(error))
        except Exception as error:
            # One practice's trouble is not the others'.
            log.exception("sync.not_queued", practice_id=str(practice_id), **fields_of(error))
        else:
            more = more or (queued and len(organisation_ids) == BATCH)
    return more


@retrying
async def _queue(practice_id: PracticeId, organisation_ids: Collection[OrganisationId]) -> bool:
    """Whether any was taken; one that nothing works for is looked at again tomorrow."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        if not await syncs_by_itself(practice_id):
            return False
        due = await take_due(practice_id, organisation_ids, at=work.now + AHEAD)
        if not due:
            return False
        taken = starts(due, at=work.now)
        await set_next_syncs(practice_id, {each: next_day(start) for each, start in taken.items()})
        connections = await ConnectionRepository.of(practice_id).current_of_organisations(taken)
        working = [each for each in connections if each.reason is None]
        await queue_syncs(work, practice_id, working, trigger=Trigger.SCHEDULE, person_id=None, starts=taken)
        log.info(
            "sync.queued", practice_id=str(practice_id), organisations=len(taken), connections=len(working)
        )
    return True
