"""What deleting a client would remove."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.clients.previews import service
from tieline.ids import ClientId
from tieline_gateway.graphql.clients.mutations import DeleteClientInput
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import LOOKED_AT, read_id, told_of_input


@strawberry.type(description="What `deleteClient` would do at this moment; others may change it meanwhile.")
class DeleteClientPreview:
    client: Client = strawberry.field(description="The one to delete.")
    connections: int = strawberry.field(description="How many are removed, current ones and ended ones.")
    organisations_freed: int = strawberry.field(
        description="How many organisations can be connected to other clients then."
    )
    organisations_kept: int = strawberry.field(
        description="Of how many organisations nothing is removed, because another client is or was connected to them."
    )
    records: int = strawberry.field(description="How many records of its books are removed.")
    sync_runs: int = strawberry.field(description="How many syncs of its books are forgotten.")
    people: int = strawberry.field(
        description="How many people belong to this client, and will not see it any more."
    )

    @classmethod
    def of(cls, preview: service.DeletionPreview) -> DeleteClientPreview:
        found = preview.belongings
        return cls(
            client=Client.of(preview.client),
            connections=found.connections,
            organisations_freed=found.organisations_freed,
            organisations_kept=found.organisations_kept,
            records=found.records,
            sync_runs=found.sync_runs,
            people=found.people,
        )


@strawberry.type
class ClientPreviews:
    @strawberry.field(
        description="What deleting a client would remove. Null, with an error: NOT_FOUND for one that is unknown or "
        "not to be seen, FORBIDDEN for who may not delete it."
    )
    async def delete_client_preview(
        self, info: Info, input: Annotated[DeleteClientInput, LOOKED_AT]
    ) -> DeleteClientPreview | None:
        with told_of_input():
            client_id = ClientId(read_id("client", input.id))
            preview = await service.preview_deletion(info.context.principal, client_id)
        return DeleteClientPreview.of(preview)
