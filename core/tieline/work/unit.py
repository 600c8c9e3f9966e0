"""The unit of work: rows, events, activity and jobs in one transaction; bells and watchers when it has committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tieline import clock, live
from tieline.activity.kinds import Deed, Entry, entry_of
from tieline.activity.repository import Doer, insert_activity
from tieline.database import Scope, scope, system_scope
from tieline.database.scope import as_system
from tieline.events.kinds import Event
from tieline.events.repository import insert_events
from tieline.ids import PersonId
from tieline.live import Hint
from tieline.log import correlation_id
from tieline.principal import Principal
from tieline.work import doorbell, repository
from tieline.work.actor import Actor, JobRequest, Lane
from tieline.work.repository import Claim, Ring

_claim: ContextVar[Claim | None] = ContextVar("tieline_claim", default=None)

JsonValue = str | int | float | bool | None


class Work:
    """What one transaction is about to say: handed to the service inside of `unit_of_work`."""

    def __init__(self, opened: Scope, principal: Principal | None = None) -> None:
        self.scope = opened
        self.now: datetime = clock.now()
        self._doer: Doer | None = None
        if principal is not None and not principal.is_machine:
            self._doer = Doer(person_id=principal.person_id, api_key_id=principal.api_key_id)
        self._events: list[Event] = []
        self._done: list[Entry] = []
        self._jobs: list[JobRequest] = []
        self._hints: set[Hint] = set()
        self._moved_on = False

    @property
    def hints(self) -> frozenset[Hint]:
        """What to tell live watchers once this has committed."""
        return frozenset(self._hints)

    @property
    def has_moved_on(self) -> bool:
        return self._moved_on

    def event(self, event: Event) -> None:
        """Record a state change; readers see it once this transaction has committed. It is activity of the caller's."""
        self._events.append(event)
        self._done.append(entry_of(event))
        if self.scope.practice_id is not None:
            self.hint("events", self.scope.practice_id)

    def did(self, deed: Deed) -> None:
        """Record what the caller did and no event tells. What the system does by itself is nobody's activity."""
        self._done.append(entry_of(deed))

    def is_by(self, person_id: PersonId) -> None:
        """Who does it, where that is a person only since this unit of work."""
        self._doer = Doer(person_id=person_id, api_key_id=None)

    def hint(self, topic: str, id: UUID) -> None:
        """After the commit, tell whoever watches this thing of the practice to look again."""
        if self.scope.practice_id is None:
            raise RuntimeError("a hint belongs to one practice: give it from that practice's unit of work")
        self._hints.add(Hint(topic, id))

    def enqueue(
        self,
        actor: Actor,
        *,
        due_at: datetime | None = None,
        key: str | None = None,
        lane: Lane | None = None,
        **arguments: JsonValue,
    ) -> None:
        """Queue a job, in its actor's lane or another.

        A `key` makes it one of its kind: asked for again, it is the same job, due at the earlier instant, and in the
        lane INTERACTIVE if one of those who asked wants that.
        """
        keyed = f"{actor.name}:{key}" if key is not None else None
        self._jobs.append(
            JobRequest(
                actor=actor,
                lane=lane or actor.lane,
                arguments=arguments,
                due_at=due_at or self.now,
                key=keyed,
            )
        )

    def moved_on(self) -> None:
        """Inside of a job: what commits here is a step that is not done again, so its lost workers count anew."""
        self._moved_on = True

    async def flush(self) -> list[Ring]:
        correlation = correlation_id()
        if self._events:
            await insert_events(self.scope, self._events, at=self.now, correlation_id=correlation)
        if self._done and self._doer is not None:
            await insert_activity(self.scope, self._doer, self._done, at=self.now, correlation_id=correlation)
        if not self._jobs:
            return []
        return await repository.insert_jobs(
            self.scope, _merged(self._jobs), at=self.now, correlation_id=correlation
        )


@asynccontextmanager
async def unit_of_work(principal: Principal) -> AsyncIterator[Work]:
    """One transaction for this caller's practice. Raises Busy and Unavailable; opening one in another is a bug.

    Inside of a job it also proves, as its last act, that the job is still ours.
    """
    async with scope(principal.practice_id) as opened:
        work = Work(opened, principal)
        yield work
        rings = await _close(work)
    await doorbell.ring(rings)
    await live.tell(principal.practice_id, work.hints)


@asynccontextmanager
async def system_work() -> AsyncIterator[Work]:
    """A unit of work over all practices, for sweeps and set-up; it records no events."""
    async with system_scope() as opened:
        work = Work(opened)
        yield work
        rings = await _close(work)
    await doorbell.ring(rings)


def attempt() -> int:
    """Inside of a job: the how many-th try since it last moved on or was put off in good order; 1 is the first."""
    held = _claim.get()
    return 1 if held is None else held.attempts


@contextmanager
def working_on(held: Claim) -> Iterator[None]:
    """While a job runs: its units of work commit only as long as the claim is held."""
    token = _claim.set(held)
    try:
        yield
    finally:
        _claim.reset(token)


def _merged(requests: list[JobRequest]) -> list[JobRequest]:
    """One request a key, due at the earliest; by key, since rows that others want too are locked in one order."""
    keyed: dict[str, JobRequest] = {}
    for request in requests:
        if request.key is not None:
            earlier = keyed.get(request.key, request)
            lane = Lane.INTERACTIVE if Lane.INTERACTIVE in (request.lane, earlier.lane) else request.lane
            keyed[request.key] = replace(request, due_at=min(request.due_at, earlier.due_at), lane=lane)
    return [request for request in requests if request.key is None] + [keyed[key] for key in sorted(keyed)]


async def _close(work: Work) -> list[Ring]:
    rings = await work.flush()
    held = _claim.get()
    if held is not None:
        async with as_system(work.scope):
            await repository.assert_held(work.scope, held, moved_on=work.has_moved_on)
    return rings
