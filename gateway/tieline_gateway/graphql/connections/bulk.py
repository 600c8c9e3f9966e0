"""Connecting many clients at once: rows in, one honest outcome for each out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, TypeAlias

import strawberry

from tieline import errors
from tieline.connections import service
from tieline.connections.decisions import Asked
from tieline.connections.service import RowOutcome
from tieline.ids import ClientId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import LOOKED_AT, made_at_once, read_id, told_of_input
from tieline_gateway.graphql.rows import WHY_REFUSED, Place, outcomes_of
from tieline_gateway.graphql.user_errors import UserError
from tieline_gateway.transport.rows import RowsOf

_ROWS = RowsOf(part="rows", most=service.MAX_ROWS)

Connecting: TypeAlias = Callable[
    [Principal, SignInId, Product, Sequence[Asked]], Awaitable[Sequence[RowOutcome]]
]


@strawberry.enum(description="What became of one row; all but the first two changed nothing.")
class ConnectOutcomeCode(StrEnum):
    CONNECTED = "CONNECTED"
    ALREADY_CONNECTED = "ALREADY_CONNECTED"
    NOT_FOUND = errors.NotFound.code
    FORBIDDEN = errors.Forbidden.code
    NAMED_TWICE = errors.NamedTwice.code
    ORGANISATION_IN_USE = errors.OrganisationInUse.code
    NOT_IN_THIS_LOGIN = errors.NotInThisLogin.code
    DIFFERENT_ORGANISATION = errors.DifferentOrganisation.code
    CONSENT_EXPIRED = errors.ConsentOver.code
    SCOPE_MISSING = errors.ConsentTooNarrow.code


@made_at_once
@strawberry.input(description="A client, and the organisation to connect it to.")
class BulkConnectRow:
    client_id: strawberry.ID
    organisation_id: strawberry.ID

    def read(self) -> Asked:
        """Raises NotFound for an id that is none."""
        return Asked(
            client_id=ClientId(read_id("client", self.client_id, field="clientId")),
            organisation_id=OrganisationId(
                read_id("organisation", self.organisation_id, field="organisationId")
            ),
        )


@strawberry.input(description="The clients to connect through one sign-in.")
class BulkConnectInput:
    sign_in_id: strawberry.ID = strawberry.field(description="A sign-in of the caller's that is usable.")
    product: Product = strawberry.field(description="What the connections are for.")
    rows: list[BulkConnectRow] = strawberry.field(description="At most 1,000.")


@strawberry.type(description="What became of one row.")
class ConnectOutcome:
    client_id: strawberry.ID
    organisation_id: strawberry.ID
    code: ConnectOutcomeCode
    error: UserError | None = strawberry.field(description=WHY_REFUSED)
    connection: Connection | None = strawberry.field(
        description="Null for a row that is not connected. In a preview as it stands now, null for one to be made."
    )

    @classmethod
    def of(cls, place: Place, row: BulkConnectRow, became: RowOutcome) -> ConnectOutcome:
        return cls(
            client_id=row.client_id,
            organisation_id=row.organisation_id,
            code=ConnectOutcomeCode(became.outcome),
            error=place.error(became.refusal),
            connection=Connection.of(became.connection) if became.connection else None,
        )

    @classmethod
    def unknown(cls, place: Place, row: BulkConnectRow, refusal: errors.NotFound) -> ConnectOutcome:
        return cls(
            client_id=row.client_id,
            organisation_id=row.organisation_id,
            code=ConnectOutcomeCode.NOT_FOUND,
            error=place.error(refusal),
            connection=None,
        )


@strawberry.type(description="What became of each row.")
class BulkConnectPayload:
    outcomes: list[ConnectOutcome] = strawberry.field(
        description="One a row, in their order; none when nothing was tried.", metadata=_ROWS.declared
    )
    errors: list[UserError] = strawberry.field(description="About the request as a whole.")


@strawberry.type(description="What `bulkConnect` would answer.")
class BulkConnectPreview:
    outcomes: list[ConnectOutcome] = strawberry.field(
        description="One a row, in their order.", metadata=_ROWS.declared
    )


@strawberry.type
class BulkConnectQueries:
    @strawberry.field(
        description="What `bulkConnect` would answer to the same input at this moment. Nothing changes and nobody has "
        "to wait, so that it may be otherwise a moment later. Null, with an error, for too many rows and for a sign-in "
        "that is no use."
    )
    async def bulk_connect_preview(
        self, info: Info, input: Annotated[BulkConnectInput, LOOKED_AT]
    ) -> BulkConnectPreview | None:
        with told_of_input():
            outcomes = await connect_rows(info.context.principal, input, service.preview_bulk_connect)
        return BulkConnectPreview(outcomes=outcomes)


async def connect_rows(
    principal: Principal, given: BulkConnectInput, connect: Connecting = service.bulk_connect
) -> list[ConnectOutcome]:
    """An outcome for each row. Raises what `connect` raises, and NotFound for a sign-in id that is none."""
    sign_in_id = SignInId(read_id("sign-in", given.sign_in_id, field="signInId"))
    return await outcomes_of(
        given.rows,
        BulkConnectRow.read,
        partial(connect, principal, sign_in_id, given.product),
        of=ConnectOutcome.of,
        unknown=ConnectOutcome.unknown,
    )
