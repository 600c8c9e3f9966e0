"""Syncs, followed live until they are over."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from tieline import metrics
from tieline.errors import NotFound
from tieline.ids import RunId
from tieline.principal import Principal
from tieline.sync import service
from tieline.sync.runs import Run
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.following import follow
from tieline_gateway.graphql.inputs import read_id
from tieline_gateway.graphql.sync.types import SyncRun

_REST_SECONDS = 0.5
"""Between two looks: a run that flies through its pages is told of twice a second."""


@strawberry.type
class SyncSubscriptions:
    @strawberry.subscription(
        description="A sync: as it is, then after changes, at most twice a second, until it is SUCCEEDED, FAILED or "
        "CANCELLED. One that is PAUSED goes on. Unknown, or not to be seen: the error NOT_FOUND."
    )
    async def sync_progress(
        self, info: Info, run_id: Annotated[strawberry.ID, strawberry.argument(description="The sync's id.")]
    ) -> AsyncGenerator[SyncRun | None, None]:
        wanted = RunId(read_id("sync run", run_id, field="runId"))
        seen = follow(
            info.context,
            "sync_run",
            wanted,
            look=lambda principal: _look(principal, wanted),
            is_over=lambda run: not run.state.is_live,
            rest_seconds=_REST_SECONDS,
        )
        with metrics.subscriptions.labels("syncProgress").track_inprogress():
            async with aclosing(seen):
                async for run in seen:
                    yield SyncRun.of(run)


async def _look(principal: Principal, run_id: RunId) -> Run:
    try:
        return await service.get_run(principal, run_id)
    except NotFound as unseen:
        raise NotFound("sync run", run_id, field="runId") from unseen
