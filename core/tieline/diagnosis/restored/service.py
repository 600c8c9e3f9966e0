"""`tieline doctor --after-restore`: a database out of a backup is made fit to start from.

events    in the order of the old server's transactions, which mean nothing here: a new feed begins
leases    of workers that are gone: their jobs are free at once
tokens    those that were renewed after the backup are dead in it: each login is renewed, so that this is
          known before somebody needs it
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from tieline.credentials.actors import finish_refresh
from tieline.database import system_scope
from tieline.diagnosis.restored import repository
from tieline.diagnosis.restored.repository import Login
from tieline.diagnosis.servers import look_at_postgres, look_at_redis
from tieline.errors import StartRefused
from tieline.ids import PracticeId
from tieline.principal import Principal
from tieline.processes import Running
from tieline.settings import Settings
from tieline.work import retrying, unit_of_work

_BATCH = 10_000
SPREAD = timedelta(minutes=10)
"""The logins are renewed within that, not all at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """What was done: events forgotten, jobs freed, logins that are renewed soon."""

    events: int
    jobs: int
    logins: int


async def refuse_while_running(settings: Settings) -> None:
    """Raise StartRefused while a process of ours is connected, since it would work with what is about to go."""
    redis, postgres = await look_at_redis(settings), await look_at_postgres(settings)
    running = {*postgres.running, *(redis.running or ())}
    if running:
        raise StartRefused(
            f"Processes of Tieline are connected ({_named(running)}): stop them, then call this again."
        )


async def begin_anew() -> Begun:
    """Interrupted, it may be called again: what was done is done once more, and harms nothing."""
    events = 0
    while forgotten := await _forget():
        events += forgotten
    jobs, logins = await _free()
    for practice_id, theirs in groupby(logins, key=lambda login: login.practice_id):
        await _renew(practice_id, list(theirs))
    return Begun(events=events, jobs=jobs, logins=len(logins))


def _named(running: Collection[Running]) -> str:
    return ", ".join(sorted(f"{each.role} {each.place}" for each in running))


@retrying
async def _forget() -> int:
    async with system_scope():
        return await repository.forget_events(limit=_BATCH)


@retrying
async def _free() -> tuple[int, Sequence[Login]]:
    async with system_scope():
        await repository.begin_feed()
        await repository.free_logins()
        return await repository.free_jobs(), await repository.logins()


@retrying
async def _renew(practice_id: PracticeId, logins: Sequence[Login]) -> None:
    async with unit_of_work(Principal.machine(practice_id)) as work:
        for login in logins:
            work.enqueue(
                finish_refresh,
                key=str(login.credential_id),
                due_at=work.now + SPREAD * random.random(),  # noqa: S311 - a spread, no secret
                practice_id=str(practice_id),
                credential_id=str(login.credential_id),
                version=login.version,
                since=work.now.isoformat(),
            )
