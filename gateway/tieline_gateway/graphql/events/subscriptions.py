"""The feed of events, live."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from tieline import clock, metrics
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.events.following import follow_events
from tieline_gateway.graphql.events.types import ConnectionEvent

After = Annotated[
    str, strawberry.argument(description="The eventCursor of a page, or the cursor of the last event seen.")
]


@strawberry.type
class EventSubscriptions:
    @strawberry.subscription(
        description="What happens to the clients that the caller may see, and to their connections and syncs: "
        "first all that happened after the cursor, then each event as it comes, in order and without a gap. An event "
        "may come twice; its cursor tells. It does not end by itself. A cursor that is broken or older than what is "
        "kept: the error CURSOR_EXPIRED."
    )
    async def connection_events(
        self, info: Info, after: After
    ) -> AsyncGenerator[ConnectionEvent | None, None]:
        events, began = follow_events(info.context, after), clock.now()
        with metrics.subscriptions.labels("connectionEvents").track_inprogress():
            async with aclosing(events):
                async for event in events:
                    if event.at >= began:
                        metrics.event_lag.observe(max((clock.now() - event.at).total_seconds(), 0.0))
                    yield ConnectionEvent.of(event)
