"""Actors that fail in known ways, and claims taken by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.support.jobs import JobTable, calendar
from tieline import clock as calendar_clock
from tieline.database import system_scope
from tieline.errors import Busy, Invalid
from tieline.work import Actor, Lane, actor, repository
from tieline.work.repository import Claim
from tieline.worker.runner import Runner

REASON = "Invalid: The other side said no."


@actor(lane=Lane.INTERACTIVE)
async def fail() -> None:
    raise Invalid("The other side said no.")


@actor(lane=Lane.INTERACTIVE)
async def break_down() -> None:
    raise LookupError("a row with somebody's name in it")


@actor(lane=Lane.INTERACTIVE, limit=timedelta(milliseconds=10))
async def hang() -> None:
    await asyncio.Event().wait()


@actor(lane=Lane.INTERACTIVE)
async def be_busy() -> None:
    raise Busy


@actor(lane=Lane.INTERACTIVE)
async def cancel_itself() -> None:
    raise asyncio.CancelledError


def runner_of(*actors: Actor) -> Runner:
    return Runner({each.name: each for each in actors})


async def claim(jobs: JobTable, owner: str) -> Claim:
    job_id = (await jobs.one())["id"]
    async with system_scope():
        claimed = await repository.claim(job_id, owner=owner, at=calendar_clock.now())
    assert claimed is not None
    return claimed


async def fail_for_good(jobs: JobTable, runner: Runner, clock: Any) -> None:
    while (job := await jobs.one())["failed_at"] is None:
        await clock(max(job["due_at"] - await calendar(), timedelta(0)))
        await runner.run(job["id"])
