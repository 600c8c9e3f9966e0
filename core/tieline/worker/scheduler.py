"""The scheduler: looks for jobs that are due and unclaimed, and rings for them. Any number may run."""

from __future__ import annotations

import asyncio

from tieline import clock
from tieline.database import system_scope
from tieline.errors import Busy, Unavailable
from tieline.log import fields_of, get_logger
from tieline.work import repository
from tieline.work.doorbell import Doorbell

BATCH = 500

log = get_logger(__name__)


async def ring_for_due(doorbell: Doorbell) -> int:
    """Ring once for every due job, batch by batch; how many were due."""
    rung = 0
    while True:
        async with system_scope():
            due = await repository.take_due(at=clock.now(), limit=BATCH)
        rung += len(due)
        if not await doorbell.ring(due) or len(due) < BATCH:
            return rung


async def run_scheduler(doorbell: Doorbell, *, interval: float, stop: asyncio.Event) -> None:
    """Look every `interval` seconds until told to stop; a database that is away is waited for."""
    away = False
    while not stop.is_set():
        try:
            await ring_for_due(doorbell)
            if away:
                log.info("scheduler.back")
            away = False
        except (Unavailable, Busy) as error:
            if not away:
                log.warning("scheduler.away", **fields_of(error))
            away = True
        try:
            async with asyncio.timeout(interval):
                await stop.wait()
        except TimeoutError:
            continue
