"""Adding clients for the organisations that a sign-in found: rows in, one honest outcome for each out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, TypeAlias

import strawberry

from tieline import errors
from tieline.clients.adding.decisions import Wanted
from tieline.clients.adding.service import MAX_ROWS, AddOutcome, add_clients, preview_add_clients
from tieline.ids import ClientId, OrganisationId, SignInId, TeamId, new_id
from tieline.plugins import Product
from tieline.principal import Principal
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, LOOKED_AT, made_at_once, read_id, told_of_input
from tieline_gateway.graphql.rows import WHY_REFUSED, Place, outcomes_of
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.transport.rows import RowsOf

_ROWS = RowsOf(part="rows", most=MAX_ROWS)

Adding: TypeAlias = Callable[
    [Principal, SignInId, Product, Sequence[Wanted]], Awaitable[Sequence[AddOutcome]]
]


@strawberry.enum(description="What became of one row; all but ADDED changed nothing.")
class AddClientOutcomeCode(StrEnum):
    ADDED = "ADDED"
    ALREADY_ADDED = "ALREADY_ADDED"
    DUPLICATE = errors.DuplicateClient.code
    OWN_BOOKS = errors.OwnBooks.code
    NOT_FOUND = errors.NotFound.code
    INVALID = errors.Invalid.code
    PLAN_TOO_SMALL = errors.PlanTooSmall.code
    ORGANISATION_IN_USE = errors.OrganisationInUse.code
    NOT_IN_THIS_LOGIN = errors.NotInThisLogin.code
    CONSENT_EXPIRED = errors.ConsentOver.code
    SCOPE_MISSING = errors.ConsentTooNarrow.code


@made_at_once
@strawberry.input(description="An organisation to make a client of.")
class AddClientRow:
    organisation_id: strawberry.ID = strawberry.field(description="One that the sign-in reaches.")
    name: str | None = strawberry.field(
        default=None, description="1 to 200 characters; without one the client gets the organisation's name."
    )
    team_id: strawberry.ID | None = strawberry.field(default=None, description="Needs the plan ADVANCED.")
    even_if_duplicate: bool = strawberry.field(
        default=False, description="Add it although a client of the practice has the same name."
    )

    even_if_own_books: bool = strawberry.field(
        default=False, description="Add it although the organisation is called as the practice is."
    )

    def read(self) -> Wanted:
        """Raises NotFound for an id that is none."""
        return Wanted(
            client_id=ClientId(new_id()),
            organisation_id=OrganisationId(
                read_id("organisation", self.organisation_id, field="organisationId")
            ),
            name=self.name,
            team_id=None if self.team_id is None else TeamId(read_id("team", self.team_id, field="teamId")),
            even_if_duplicate=self.even_if_duplicate,
            even_if_own_books=self.even_if_own_books,
        )


@strawberry.input(description="The organisations to make clients of, through one sign-in.")
class AddClientsInput:
    sign_in_id: strawberry.ID = strawberry.field(description="A sign-in of the caller's that is usable.")
    product: Product = strawberry.field(description="What the connections are for.")
    rows: list[AddClientRow] = strawberry.field(description="At most 1,000.")


@strawberry.type(description="What became of one row.")
class AddClientOutcome:
    organisation_id: strawberry.ID
    code: AddClientOutcomeCode
    error: UserError | None = strawberry.field(description=WHY_REFUSED)
    client: Client | None = strawberry.field(
        description="The client that was added, was there already, or stands in the way; null for one that the "
        "caller may not see, and in a preview for one that is not there yet."
    )
    connection: Connection | None = strawberry.field(
        description="Null for a row that is refused, and in a preview for one that is not there yet."
    )

    @classmethod
    def of(cls, place: Place, row: AddClientRow, became: AddOutcome) -> AddClientOutcome:
        return cls(
            organisation_id=row.organisation_id,
            code=AddClientOutcomeCode(became.outcome),
            error=place.error(became.refusal),
            client=Client.of(became.client) if became.client else None,
            connection=Connection.of(became.connection) if became.connection else None,
        )

    @classmethod
    def unknown(cls, place: Place, row: AddClientRow, refusal: errors.NotFound) -> AddClientOutcome:
        return cls(
            organisation_id=row.organisation_id,
            code=AddClientOutcomeCode.NOT_FOUND,
            error=place.error(refusal),
            client=None,
            connection=None,
        )


@strawberry.type(description="What became of each row.")
class AddClientsPayload:
    outcomes: list[AddClientOutcome] = strawberry.field(
        description="One a row, in their order; none when nothing was tried.", metadata=_ROWS.declared
    )
    errors: list[UserError] = strawberry.field(description="About the request as a whole.")


@strawberry.type(description="What `addClients` would answer.")
class AddClientsPreview:
    outcomes: list[AddClientOutcome] = strawberry.field(
        description="One a row, in their order.", metadata=_ROWS.declared
    )


@strawberry.type
class ClientAdditionQueries:
    @strawberry.field(
        description="What `addClients` would answer to the same input at this moment. Nothing changes and nobody "
        "has to wait, so that it may be otherwise a moment later. Null, with an error, for who may not add clients, "
        "for too many rows, and for a sign-in that is no use."
    )
    async def add_clients_preview(
        self, info: Info, input: Annotated[AddClientsInput, LOOKED_AT]
    ) -> AddClientsPreview | None:
        with told_of_input():
            outcomes = await _add_rows(info.context.principal, input, preview_add_clients)
        return AddClientsPreview(outcomes=outcomes)


@strawberry.type
class ClientAdditions:
    @strawberry.mutation(
        description="Add up to 1,000 clients at once, each made from an organisation with what its ledger tells, "
        "connected to it, and synced. Each row has an outcome of its own, in the order of the rows, and good rows are "
        "carried out whatever the others are. The same again adds nothing. Needs the permission MANAGE_CONNECTIONS."
    )
    async def add_clients(self, info: Info, input: Annotated[AddClientsInput, GIVEN]) -> AddClientsPayload:
        try:
            outcomes = await _add_rows(info.context.principal, input)
        except EXPECTED as error:
            return AddClientsPayload(outcomes=[], errors=UserError.of(error))
        return AddClientsPayload(outcomes=outcomes, errors=[])


async def _add_rows(
    principal: Principal, given: AddClientsInput, add: Adding = add_clients
) -> list[AddClientOutcome]:
    """An outcome for each row. Raises what `add` raises, and NotFound for a sign-in id that is none."""
    sign_in_id = SignInId(read_id("sign-in", given.sign_in_id, field="signInId"))
    return await outcomes_of(
        given.rows,
        AddClientRow.read,
        partial(add, principal, sign_in_id, given.product),
        of=AddClientOutcome.of,
        unknown=AddClientOutcome.unknown,
    )
