"""Questions about syncs."""

from __future__ import annotations

import strawberry

from tieline.ids import RunId
from tieline.sync import service
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import Id, read_id
from tieline_gateway.graphql.sync.types import SyncRun


@strawberry.type
class SyncQueries:
    @strawberry.field(
        description="One sync, of an organisation that a client the caller may see is or was connected to. Unknown, or "
        "not to be seen: the error NOT_FOUND."
    )
    async def sync_run(self, info: Info, id: Id) -> SyncRun | None:
        return SyncRun.of(await service.get_run(info.context.principal, RunId(read_id("sync run", id))))
