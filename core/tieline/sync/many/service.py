"""What callers do with the syncs of many clients: ask for those of chosen ones, or of all that they may sync.

Nobody waits for one of them in particular, so they go in the lane of what nobody waits for: they leave each day's
reserve to people, and stand behind whoever syncs a single client.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tieline.activity.kinds import SyncAsked, SyncsAsked
from tieline.clients.repository import Client, ClientRepository
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.runs import queue_syncs
from tieline.database import scope
from tieline.errors import Busy, Forbidden, Invalid, NotFound, Refused
from tieline.host import host
from tieline.ids import ClientId, OrganisationId
from tieline.instants import read_instant
from tieline.plugins import Product
from tieline.principal import Permission, Principal
from tieline.sign_ins.repository import SignInRepository
from tieline.sync.many.decisions import Facts, Good, Outcome, decide_all
from tieline.sync.many.repository import ReachRepository, Wanted
from tieline.sync.runs import Run, Trigger
from tieline.work import Lane, Work, retrying, unit_of_work

MAX_ROWS = 1_000
HEAP = 500
_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncOutcome:
    """What became of one client: the runs that read its books, one an organisation, or why there is none.

    Of connections that are `expired` nothing is read, though another one works.
    """

    outcome: Outcome
    runs: tuple[Run, ...] = ()
    expired: tuple[Connection, ...] = ()
    refusal: Refused | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedAll:
    """Of how many organisations a sync was begun, goes on already, or cannot be; `remaining` wait for another call."""

    queued: int = 0
    already_running: int = 0
    expired: int = 0
    remaining: int = 0

    def plus(self, heap: SyncedAll) -> SyncedAll:
        return SyncedAll(
            queued=self.queued + heap.queued,
            already_running=self.already_running + heap.already_running,
            expired=self.expired + heap.expired,
        )


@retrying
async def sync_clients(
    principal: Principal, client_ids: Sequence[ClientId], *, product: Product | None = None
) -> list[SyncOutcome]:
    """Bring the books of these clients up to date, of one product or of all: what became of each, in their order.

    Raises Invalid (more than 1,000), and Busy.
    """
    if len(client_ids) > MAX_ROWS:
        raise Invalid(
            f"One request syncs at most {MAX_ROWS:,} clients; this one has {len(client_ids):,}.",
            field="clientIds",
        )
    async with unit_of_work(principal) as work:
        facts = await _load(principal, client_ids, product)
        decided = list(decide_all(client_ids, facts))
        working = [each for became in decided if isinstance(became, Good) for each in became.connections]
        runs = await _queue(work, principal, working)
        outcomes = [_outcome(became, runs, at=work.now) for became in decided]
        for client_id, outcome in zip(client_ids, outcomes, strict=True):
            for run in outcome.runs:
                work.did(SyncAsked(client_id=client_id, run_id=run.id, trigger=Trigger.MANUAL))
    return outcomes


async def sync_all(
    principal: Principal, *, provider: str | None = None, not_synced_since: datetime | None = None
) -> SyncedAll:
    """Bring the books of all clients up to date that the caller may sync, of one provider or of all.

    Done heap by heap, so that nobody waits long for a row; what is not done after a while remains. The same call again
    takes all that is not waiting or being read by then, so it should leave out what was synced since the first.
    Raises NotFound (provider), Invalid (the instant) and Forbidden.
    """
    since = not_synced_since and read_instant(not_synced_since, field="notSyncedSince")
    wanted = Wanted(providers=_providers(provider), not_synced_since=since)
    await _require_some(principal)
    told, after, loop = SyncedAll(), None, asyncio.get_running_loop()
    over_at = loop.time() + _SECONDS
    while True:
        heap, after = await _sync_heap(principal, wanted, provider, after)
        told = told.plus(heap)
        if after is None:
            return told
        if loop.time() >= over_at:
            async with scope(principal.practice_id):
                rest = await ReachRepository.synced_by(principal).rest(wanted, after=after)
            return replace(told, remaining=rest)


@retrying
async def _sync_heap(
    principal: Principal, wanted: Wanted, provider: str | None, after: OrganisationId | None
) -> tuple[SyncedAll, OrganisationId | None]:
    """The next heap, and where it ended; None once there is no more."""
    async with unit_of_work(principal) as work:
        found = await ReachRepository.synced_by(principal).heap(wanted, after=after, most=HEAP)
        due = [each.id for each in found if each.works and not each.is_read]
        runs = await _queue(work, principal, await _working(principal, due)) if due else {}
        if runs:
            work.did(
                SyncsAsked(practice_id=principal.practice_id, organisations=len(runs), provider=provider)
            )
        queued = sum(_is_new(run, at=work.now) for run in runs.values())
    heap = SyncedAll(
        queued=queued,
        already_running=len(runs) - queued + sum(each.works and each.is_read for each in found),
        expired=sum(not each.works for each in found),
    )
    return heap, found[-1].id if len(found) == HEAP else None


async def _working(principal: Principal, ids: Sequence[OrganisationId]) -> list[Connection]:
    """The working connections to these organisations, which are locked first, by ascending id."""
    await OrganisationRepository.of(principal.practice_id).lock(ids)
    current = await ConnectionRepository.of(principal.practice_id).current_of_organisations(ids)
    return [each for each in current if each.reason is None]


async def _queue(
    work: Work, principal: Principal, connections: Sequence[Connection]
) -> Mapping[OrganisationId, Run]:
    runs = await queue_syncs(
        work,
        principal.practice_id,
        connections,
        trigger=Trigger.MANUAL,
        person_id=principal.person_id,
        lane=Lane.BACKGROUND,
    )
    return {run.organisation_id: run for run in runs}


async def _load(principal: Principal, client_ids: Sequence[ClientId], product: Product | None) -> Facts:
    """What clients are decided by, their organisations locked; a constant number of statements."""
    forbids = _forbids(principal)
    clients = await ClientRepository.visible_to(principal).get_many(set(client_ids))
    permitted = [client.id for client in clients if forbids(client) is None]
    products = () if product is None else (product,)
    connections = ConnectionRepository.of(principal.practice_id)
    found = await connections.current_of_clients(permitted, *products)
    held = {each.organisation_id for each in found}
    await OrganisationRepository.of(principal.practice_id).lock(held)
    current: dict[ClientId, list[Connection]] = defaultdict(list)
    for each in await connections.current_of_clients(permitted, *products):
        if each.organisation_id not in held:
            raise Busy  # it moved to another organisation just now
        current[each.client_id].append(each)
    return Facts(
        clients={client.id: client for client in clients},
        forbids=forbids,
        connections=current,
        knows=lambda slug: host().registry.get(slug) is not None,
    )


def _forbids(principal: Principal) -> Callable[[Client], Forbidden | None]:
    """Why this caller may not sync a client, if it may not."""

    def refusal(client: Client) -> Forbidden | None:
        try:
            principal.require(Permission.SYNC, administers=client.administered)
        except Forbidden as forbidden:
            return forbidden
        return None

    return refusal


def _outcome(became: Good | Refused, runs: Mapping[OrganisationId, Run], *, at: datetime) -> SyncOutcome:
    if isinstance(became, Refused):
        return SyncOutcome(outcome=Outcome(became.code), refusal=became)
    theirs = tuple({each.organisation_id: runs[each.organisation_id] for each in became.connections}.values())
    is_new = any(_is_new(run, at=at) for run in theirs)
    return SyncOutcome(
        outcome=Outcome.QUEUED if is_new else Outcome.ALREADY_RUNNING, runs=theirs, expired=became.expired
    )


def _is_new(run: Run, *, at: datetime) -> bool:
    """Whether the unit of work of this instant made it, and did not find it."""
    return run.created_at == at


def _providers(provider: str | None) -> tuple[str, ...]:
    """Those that are meant. Raises NotFound."""
    if provider is None:
        return tuple(each.info.slug for each in host().registry)
    if host().registry.get(provider) is None:
        raise NotFound("provider", provider[:32].encode("ascii", "replace").decode(), field="provider")
    return (provider,)


async def _require_some(principal: Principal) -> None:
    """Raise Forbidden unless there may be a client that the caller may sync."""
    administers = False
    if not principal.may(Permission.SYNC) and principal.person_id is not None:
        async with scope(principal.practice_id):
            sign_ins = SignInRepository.of(principal.practice_id)
            administers = await sign_ins.administers_any(principal.person_id)
    principal.require(Permission.SYNC, administers=administers)
