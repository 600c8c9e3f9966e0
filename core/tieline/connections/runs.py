"""The syncs that connections ask for: the feeds of their products, lists first, in one run for an organisation."""

from __future__ import annotations

from collections.abc import Collection

from tieline.connections.repository import Connection
from tieline.host import host
from tieline.ids import PersonId, PracticeId
from tieline.sync.repository import Run, Trigger, WantedRun, queue_runs
from tieline.work import Work


async def queue_syncs(
    work: Work,
    practice_id: PracticeId,
    connections: Collection[Connection],
    *,
    trigger: Trigger,
    person_id: PersonId | None,
) -> list[Run]:
    """One live run for each organisation of these connections; those of a provider that is not installed get none."""
    wanted = [
        WantedRun(organisation_id=each.organisation_id, credential_id=each.credential_id, feeds=_feeds(each))
        for each in connections
        if host().registry.get(each.provider) is not None
    ]
    return await queue_runs(practice_id, wanted, trigger=trigger, person_id=person_id, at=work.now)


def _feeds(connection: Connection) -> tuple[str, ...]:
    provider = host().registry.get(connection.provider)
    feeds = provider.info.feeds.get(connection.product, ()) if provider is not None else ()
    return tuple(feed.name for feed in feeds)
