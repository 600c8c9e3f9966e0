"""Reading the feed of events from a cursor on."""

from __future__ import annotations

from tieline.database import scope
from tieline.events import repository
from tieline.events.repository import Batch, EventCursor
from tieline.principal import Principal

MAX_BATCH = 500


async def read_events(principal: Principal, after: str, *, limit: int = MAX_BATCH) -> Batch:
    """Events after a cursor that a page or an earlier event carried. Raises CursorExpired."""
    return await read_on(principal, EventCursor.decode(after), limit=limit)


async def read_on(principal: Principal, after: EventCursor, *, limit: int, was_end: bool = False) -> Batch:
    """The same from a cursor that is read already. Raises CursorExpired.

    `was_end`: moments ago the caller has read up to there and nothing was left, so that nothing can have been deleted
    that it has not seen.
    """
    async with scope(principal.practice_id):
        return await repository.read_after(principal, after, limit=min(limit, MAX_BATCH), was_end=was_end)
