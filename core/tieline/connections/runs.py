"""The syncs that connections ask for, in one run for an organisation, and what becomes of it when some are lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from tieline.canonical import LISTS
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.host import host
from tieline.ids import OrganisationId, PersonId, PracticeId
from tieline.plugins import Feed, feeds_for
from tieline.sync.queueing import ask_for, stop
from tieline.sync.repository import WantedRun, live_runs, narrow_runs
from tieline.sync.runs import Run, Trigger
from tieline.work import Lane, Work


async def queue_syncs(
    work: Work,
    practice_id: PracticeId,
    connections: Collection[Connection],
    *,
    trigger: Trigger,
    person_id: PersonId | None,
    lane: Lane | None = None,
    starts: Mapping[OrganisationId, datetime] | None = None,
) -> list[Run]:
    """One live run for each locked organisation of these connections, of what all that work there want, lists first.

    It is read through the last of these connections. A refresh of lists asks only for feeds that fill some list. Those
    of a provider that is not installed get none. For `lane` and `starts` see `ask_for`.
    """
    if not connections:
        return []
    asking = {each.id for each in connections}
    current = await ConnectionRepository.of(practice_id).current_of_organisations(
        {each.organisation_id for each in connections}
    )
    others = [each for each in current if each.reason is None and each.id not in asking]
    wanted = [
        WantedRun(
            organisation_id=each.organisation_id,
            credential_id=each.credential_id,
            feeds=_asked_for(each, trigger),
        )
        for each in (*others, *connections)
        if host().registry.get(each.provider) is not None
    ]
    return await ask_for(
        work, practice_id, wanted, trigger=trigger, person_id=person_id, lane=lane, starts=starts
    )


async def queue_some(
    work: Work,
    practice_id: PracticeId,
    connections: Collection[Connection],
    names: Collection[str],
    *,
    trigger: Trigger,
    person_id: PersonId | None,
) -> list[Run]:
    """One run of those of the named feeds that these connections want, lists first; what it asks for is PARTIAL."""
    wanted = [
        WantedRun(organisation_id=each.organisation_id, credential_id=each.credential_id, feeds=feeds)
        for each in connections
        if (feeds := tuple(name for name in _feeds(each) if name in names))
    ]
    return await ask_for(work, practice_id, wanted, trigger=trigger, person_id=person_id)


async def settle_runs(
    work: Work, practice_id: PracticeId, organisation_ids: Collection[OrganisationId], *, reason: str
) -> None:
    """Have the live runs of these locked organisations read what working connections want, through one of theirs.

    To be called whenever a connection stops working. A run that no connection wants any more ends with the reason.
    """
    live = await live_runs(practice_id, organisation_ids)
    if not live:
        return
    current = await ConnectionRepository.of(practice_id).current_of_organisations(
        {run.organisation_id for run in live}
    )
    working: dict[OrganisationId, list[Connection]] = defaultdict(list)
    for each in current:
        if each.reason is None:
            working[each.organisation_id].append(each)
    settled = {run.organisation_id: _settled(run, working[run.organisation_id]) for run in live}
    unwanted = [organisation_id for organisation_id, wanted in settled.items() if wanted is None]
    await stop(work, practice_id, organisation_ids=unwanted, reason=reason)
    changed = [
        wanted
        for run in live
        if (wanted := settled[run.organisation_id]) is not None and wanted != _asked(run)
    ]
    for run in await narrow_runs(practice_id, changed, at=work.now) if changed else []:
        work.hint("sync_run", run.id)


def _settled(run: Run, working: Collection[Connection]) -> WantedRun | None:
    """What is left of a run; its own credential stays if a connection that works hangs on it."""
    wanted = {feed for each in working for feed in _feeds(each)}
    feeds = tuple(feed for feed in run.wanted if feed in wanted)
    if not feeds:
        return None
    credentials = [each.credential_id for each in working]
    through = run.credential_id if run.credential_id in credentials else credentials[0]
    return WantedRun(organisation_id=run.organisation_id, credential_id=through, feeds=feeds)


def _asked(run: Run) -> WantedRun:
    return WantedRun(organisation_id=run.organisation_id, credential_id=run.credential_id, feeds=run.wanted)


def _feeds(connection: Connection) -> tuple[str, ...]:
    return tuple(feed.name for feed in _all_feeds(connection))


def _asked_for(connection: Connection, trigger: Trigger) -> tuple[str, ...]:
    if trigger is not Trigger.REFRESH_LISTS:
        return _feeds(connection)
    return tuple(feed.name for feed in _all_feeds(connection) if LISTS & set(feed.datasets))


def _all_feeds(connection: Connection) -> tuple[Feed, ...]:
    provider = host().registry.get(connection.provider)
    if provider is None:
        return ()
    return feeds_for(provider.info, connection.product, connection.settings)
