"""What callers do with syncs: ask for one, or for the lists alone, follow it, look at those that were."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.activity.kinds import SyncAsked
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.permitted import permitted
from tieline.connections.repository import ConnectionRepository
from tieline.connections.runs import queue_syncs
from tieline.connections.states import explanation
from tieline.database import scope
from tieline.errors import CannotSync, CursorInvalid, NotFound
from tieline.ids import ConnectionId, RunId
from tieline.pages import Keyset, Page, decode_cursor, list_of, page_size
from tieline.principal import Permission, Principal
from tieline.sync.history.repository import RunHistory
from tieline.sync.runs import Run, Trigger
from tieline.work import retrying, unit_of_work


async def sync(principal: Principal, connection_id: ConnectionId) -> Run:
    """Bring the connection's organisation up to date; one that is being synced already is not synced twice.

    Raises NotFound, Forbidden and CannotSync (the connection is EXPIRED; its sentence says what mends it).
    """
    return await _ask(principal, connection_id, Trigger.MANUAL)


async def refresh_lists(principal: Principal, connection_id: ConnectionId) -> Run:
    """Read the lists anew, and nothing else where they come in feeds of their own; a live run is joined.

    Raises what `sync` raises.
    """
    return await _ask(principal, connection_id, Trigger.REFRESH_LISTS)


@retrying
async def _ask(principal: Principal, connection_id: ConnectionId, trigger: Trigger) -> Run:
    async with unit_of_work(principal) as work:
        found = await permitted(principal, connection_id, Permission.SYNC)
        await OrganisationRepository.of(principal.practice_id).lock([found.organisation_id])
        connections = ConnectionRepository.of(principal.practice_id)
        current = await connections.current_of_organisations([found.organisation_id])
        standing = next((each for each in current if each.id == connection_id), None)
        if standing is None:
            raise NotFound("connection", connection_id, field="connectionId")
        if standing.reason is not None:
            raise CannotSync(explanation(standing.status, standing.reason) or "", field="connectionId")

        queued = await queue_syncs(
            work, principal.practice_id, [standing], trigger=trigger, person_id=principal.person_id
        )
        if not queued:
            raise NotFound("provider", standing.provider)
        work.did(SyncAsked(client_id=standing.client_id, run_id=queued[0].id, trigger=trigger))
    return queued[0]


async def get_run(principal: Principal, run_id: RunId) -> Run:
    """A run of an organisation that a client the caller sees is or was connected to. Raises NotFound."""
    async with scope(principal.practice_id):
        found = await RunHistory.visible_to(principal).get(run_id)
    if found is None:
        raise NotFound("sync run", run_id, field="id")
    return found


async def list_runs(
    principal: Principal, connection_id: ConnectionId, *, first: int | None = None, after: str | None = None
) -> Page[Run]:
    """A page of the runs of the connection's organisation, the latest first.

    Raises NotFound, Invalid (page size) and CursorInvalid.
    """
    listed = list_of("sync_runs", principal.practice_id, connection_id)
    size, start = page_size(first), _place(decode_cursor(listed, after))
    async with scope(principal.practice_id):
        connection = await ConnectionRepository.visible_to(principal).get(connection_id)
        if connection is None:
            raise NotFound("connection", connection_id, field="connectionId")
        return await RunHistory.visible_to(principal).page(connection, after=start, first=size, listed=listed)


async def last_runs(
    principal: Principal, connection_ids: Collection[ConnectionId]
) -> dict[ConnectionId, Run]:
    """The latest run of the organisation of each of these connections that the caller sees and that has one."""
    async with scope(principal.practice_id):
        return await RunHistory.visible_to(principal).last(connection_ids)


def _place(after: Keyset | None) -> Keyset | None:
    """The cursor's key is an instant. Raises CursorInvalid."""
    if after is not None:
        try:
            datetime.fromisoformat(after.key)
        except ValueError as broken:
            raise CursorInvalid from broken
    return after
