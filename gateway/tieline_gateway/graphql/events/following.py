"""Following the feed: what comes after a place, batch by batch, and then each event as it comes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from functools import partial

from tieline.events.feeds import KEPT_SECONDS, reading
from tieline.events.repository import EventCursor, Recorded
from tieline_gateway.graphql.context import AUTHORITY_SECONDS, Context
from tieline_gateway.graphql.events.naming import ahead_of

SENDING_SECONDS = AUTHORITY_SECONDS - KEPT_SECONDS
"""For how long events are sent once they are read; then they are read again, for the caller may see less by now."""


async def follow_events(context: Context, after: str) -> AsyncGenerator[Recorded, None]:
    """Every event after this cursor that the caller may see, in order and without a gap, until the caller goes.

    No more than a batch is held for a reader however slow it is. Raises CursorExpired, and Unauthenticated once
    the caller is no longer known.
    """
    place = EventCursor.decode(after)
    with reading(context.principal.practice_id) as reader:
        while True:
            await context.confirm()
            principal = context.principal
            batch = await reader.read(principal, place)
            if batch.events:  # else nothing is loaded, and thousands who wait make no loaders for it
                context.load_ahead(partial(ahead_of, batch.events))
            read_at = time.monotonic()
            for event in batch.events:
                await reader.turn()
                await context.confirm()
                if context.principal != principal or time.monotonic() - read_at >= SENDING_SECONDS:
                    break
                yield event
                place = event.cursor
            else:
                place = batch.cursor
                if not batch.more:
                    await reader.wait()
