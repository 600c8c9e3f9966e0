"""The question who did what."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from tieline.activity.service import list_activity
from tieline.ids import ApiKeyId, ClientId, PersonId
from tieline.pages import DEFAULT_PAGE
from tieline_gateway.graphql.activity.types import ActivityKind, ActivityPage
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import read_id

_KINDS = strawberry.argument(description="Only of these kinds.", graphql_type=list[ActivityKind] | None)  # type: ignore[valid-type]


@strawberry.type
class ActivityQueries:
    @strawberry.field(
        description="What people and services did in the practice, the latest first; for practice admins. Null, "
        "with an error, for others, and for a bad page size, cursor, instant or id."
    )
    async def activity(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[
            str | None,
            strawberry.argument(description="A cursor of this same list: another filter refuses it."),
        ] = None,
        person_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this person did.")
        ] = None,
        client_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only what was done to this client, also when it is gone."),
        ] = None,
        api_key_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what was done with this API key.")
        ] = None,
        kinds: Annotated[list[Enum] | None, _KINDS] = None,
        since: Annotated[
            datetime | None, strawberry.argument(description="Only from this instant on.")
        ] = None,
        until: Annotated[
            datetime | None, strawberry.argument(description="Only before this instant.")
        ] = None,
    ) -> ActivityPage | None:
        page = await list_activity(
            info.context.principal,
            person_id=PersonId(read_id("person", person_id, field="personId"))
            if person_id is not None
            else None,
            client_id=ClientId(read_id("client", client_id, field="clientId"))
            if client_id is not None
            else None,
            api_key_id=ApiKeyId(read_id("key", api_key_id, field="apiKeyId"))
            if api_key_id is not None
            else None,
            kinds=[str(kind.value) for kind in kinds or ()],
            since=since,
            until=until,
            first=first,
            after=after,
        )
        return ActivityPage.of(page)
