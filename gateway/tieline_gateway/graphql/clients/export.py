"""The list of clients as a file for spreadsheets."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.connections.export import service
from tieline.connections.states import Reason, Status
from tieline.ids import TeamId
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import read_id

_SEARCH = (
    "Each word must begin a word of the name; case and accents do not count, nor do signs between words."
)
_STATUSES = "Only clients with one of these statuses for any product; a mismatch is also CONNECTED."
_REASONS = "Only clients with a product that is EXPIRED for one of these reasons."
_PROVIDERS = "Only clients with a product that is connected to one of these providers, by short name."

strawberry.enum(
    service.Columns,
    name="ClientsCsvColumns",
    description="What is told of each client: all of it, or what an upload of practice codes reads.",
)


@strawberry.type(description="The clients as CSV, with how each is connected.")
class ClientsCsv:
    file_name: str = strawberry.field(description="To save it by, such as clients-2031-05-04.csv.")
    content: str = strawberry.field(description="CSV by RFC 4180, to be saved in UTF-8 as it is.")
    row_count: int = strawberry.field(description="How many clients it has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what it may lack.")

    @classmethod
    def of(cls, made: service.ClientsCsv) -> ClientsCsv:
        return cls(
            file_name=made.file_name,
            content=made.content,
            row_count=made.row_count,
            event_cursor=made.event_cursor,
        )


@strawberry.type
class ClientExports:
    @strawberry.field(
        description="The clients that the caller sees, by name, as a file for spreadsheets: 10,000 at most. Null, with "
        "an error, for more, for a bad search, and for an unknown team. Statuses, providers and reasons leave a client "
        "by any product of which all of them are true."
    )
    async def clients_csv(
        self,
        info: Info,
        search: Annotated[str | None, strawberry.argument(description=_SEARCH)] = None,
        statuses: Annotated[list[Status] | None, strawberry.argument(description=_STATUSES)] = None,
        providers: Annotated[list[str] | None, strawberry.argument(description=_PROVIDERS)] = None,
        reasons: Annotated[list[Reason] | None, strawberry.argument(description=_REASONS)] = None,
        team_ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(
                description="Only clients of one of these teams; for members of the practice."
            ),
        ] = None,
        columns: Annotated[
            service.Columns, strawberry.argument(description="What is told of each client.")
        ] = service.Columns.ALL,
    ) -> ClientsCsv | None:
        made = await service.export_clients(
            info.context.principal,
            search=search,
            columns=columns,
            statuses=statuses or (),
            reasons=reasons or (),
            providers=providers or (),
            team_ids=[TeamId(read_id("team", each, field="teamIds")) for each in team_ids or ()],
        )
        return ClientsCsv.of(made)
