"""Asking for a sync."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.ids import ConnectionId
from tieline.sync import service
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.sync.types import SyncRun
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(description="A connection whose organisation is to be brought up to date.")
class SyncInput:
    connection_id: strawberry.ID


@strawberry.input(description="A connection whose organisation's lists are to be read anew.")
class RefreshListsInput:
    connection_id: strawberry.ID


@strawberry.type(description="A reading of lists that is under way.")
class RefreshListsPayload:
    run: SyncRun | None = strawberry.field(
        description="To be followed by `syncProgress`; null when none was begun."
    )
    errors: list[UserError]


@strawberry.type(description="A sync that is under way.")
class SyncPayload:
    run: SyncRun | None = strawberry.field(
        description="To be followed by `syncProgress`; null when none was begun."
    )
    errors: list[UserError]


@strawberry.type
class SyncMutations:
    @strawberry.mutation(
        description="Bring our copy of a connection's books up to date. Asked again while that goes on, it answers "
        "with the same run. Needs the permission SYNC, or to be an administrator of the client."
    )
    async def sync(self, info: Info, input: Annotated[SyncInput, GIVEN]) -> SyncPayload:
        try:
            connection_id = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            run = await service.sync(info.context.principal, connection_id)
        except EXPECTED as error:
            return SyncPayload(run=None, errors=UserError.of(error))
        return SyncPayload(run=SyncRun.of(run), errors=[])

    @strawberry.mutation(
        description="Read the lists of a connection's books anew: accounts, contacts, tax rates, tracking, terms, "
        "payment methods. While a sync goes on, it answers with that. Needs the permission SYNC, or to be an "
        "administrator of the client."
    )
    async def refresh_lists(
        self, info: Info, input: Annotated[RefreshListsInput, GIVEN]
    ) -> RefreshListsPayload:
        try:
            connection_id = ConnectionId(read_id("connection", input.connection_id, field="connectionId"))
            run = await service.refresh_lists(info.context.principal, connection_id)
        except EXPECTED as error:
            return RefreshListsPayload(run=None, errors=UserError.of(error))
        return RefreshListsPayload(run=SyncRun.of(run), errors=[])
