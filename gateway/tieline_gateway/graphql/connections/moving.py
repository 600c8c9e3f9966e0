"""Hanging many connections on the caller's sign-in at once: all that are broken, or chosen ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, TypeAlias

import strawberry

from tieline import errors
from tieline.connections.moving import service
from tieline.connections.moving.decisions import Outcome
from tieline.connections.moving.repository import BrokenCount
from tieline.connections.moving.service import MoveOutcome
from tieline.ids import ConnectionId, SignInId
from tieline.principal import Principal
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, LOOKED_AT, read_id, told_of_input
from tieline_gateway.graphql.rows import WHY_REFUSED, Place, outcomes_of
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.transport.rows import RowsOf

_IDS = RowsOf(part="connectionIds", most=service.MAX_ROWS)
_BROKEN = RowsOf(part=None, most=service.MAX_ROWS)

Reassigning: TypeAlias = Callable[
    [Principal, SignInId, Sequence[ConnectionId]], Awaitable[Sequence[MoveOutcome]]
]

strawberry.enum(
    Outcome,
    name="MoveOutcomeCode",
    description="What became of one connection; all but RECONNECTED, REASSIGNED and TO_BE_CHECKED "
    "changed nothing.",
)


@strawberry.type(description="How much there is for `reconnectAll` to do.")
class ReconnectAllCount:
    total: int = strawberry.field(description="How many connections are broken; it tries these.")
    disconnected: int = strawberry.field(
        description="How many more a person has disconnected; it leaves these alone."
    )

    @classmethod
    def of(cls, counted: BrokenCount) -> ReconnectAllCount:
        return cls(total=counted.broken, disconnected=counted.disconnected)


@strawberry.input(description="The sign-in that mends what it reaches.")
class ReconnectAllInput:
    sign_in_id: strawberry.ID = strawberry.field(description="A sign-in of the caller's that is usable.")


@strawberry.input(description="The connections to take over.")
class ReassignInput:
    sign_in_id: strawberry.ID = strawberry.field(description="A sign-in of the caller's that is usable.")
    connection_ids: list[strawberry.ID] = strawberry.field(description="At most 1,000.")


@strawberry.type(name="MoveOutcome", description="What became of one connection.")
class MoveOutcomeType:
    connection_id: strawberry.ID
    code: Outcome
    error: UserError | None = strawberry.field(description=WHY_REFUSED)
    note: str | None = strawberry.field(
        description="What is left to be seen of one that moved, as a sentence for people, in English; else null."
    )
    connection: Connection | None = strawberry.field(
        description="As it is now, in a preview as it stands; null for one not found."
    )

    @classmethod
    def mended(cls, became: MoveOutcome) -> MoveOutcomeType:
        """Of one that the input does not name."""
        error = UserError.of(became.refusal)[0] if became.refusal else None
        return cls._of(strawberry.ID(str(became.connection_id)), became, error)

    @classmethod
    def named(cls, place: Place, given: strawberry.ID, became: MoveOutcome) -> MoveOutcomeType:
        """With the id as the caller wrote it."""
        return cls._of(given, became, place.error(became.refusal))

    @classmethod
    def unknown(cls, place: Place, given: strawberry.ID, refusal: errors.NotFound) -> MoveOutcomeType:
        return cls(
            connection_id=given,
            code=Outcome.NOT_FOUND,
            error=place.error(refusal),
            note=None,
            connection=None,
        )

    @classmethod
    def _of(cls, given: strawberry.ID, became: MoveOutcome, error: UserError | None) -> MoveOutcomeType:
        return cls(
            connection_id=given,
            code=became.outcome,
            error=error,
            note=became.note,
            connection=Connection.of(became.connection) if became.connection else None,
        )


@strawberry.type(description="What became of each broken connection.")
class ReconnectAllPayload:
    outcomes: list[MoveOutcomeType] = strawberry.field(
        description="At most 1,000, those first that the login mends, then what completing the sign-in has mended; "
        "none when nothing was tried.",
        metadata=_BROKEN.declared,
    )
    remaining: int = strawberry.field(
        description="How many more the login mends, when this is said again; 0 as a rule."
    )
    errors: list[UserError] = strawberry.field(description="About the request as a whole.")


@strawberry.type(description="What became of each connection.")
class ReassignPayload:
    outcomes: list[MoveOutcomeType] = strawberry.field(
        description="One for each id, in their order; none when nothing was tried.", metadata=_IDS.declared
    )
    errors: list[UserError] = strawberry.field(description="About the request as a whole.")


@strawberry.type(description="What `reconnectAll` would answer.")
class ReconnectAllPreview:
    outcomes: list[MoveOutcomeType] = strawberry.field(
        description="As `reconnectAll` orders them.", metadata=_BROKEN.declared
    )
    remaining: int = strawberry.field(description="How many more it would leave for another time.")


@strawberry.type(description="What `reassign` would answer.")
class ReassignPreview:
    outcomes: list[MoveOutcomeType] = strawberry.field(
        description="One for each id, in their order.", metadata=_IDS.declared
    )


@strawberry.type
class MovingQueries:
    @strawberry.field(
        description="How many connections of a provider `reconnectAll` would try, of the clients whose connections the "
        "caller manages. Null, with an error, for who manages none, and for an unknown provider."
    )
    async def reconnect_all_count(
        self,
        info: Info,
        provider: Annotated[str, strawberry.argument(description="The provider's short name.")],
    ) -> ReconnectAllCount | None:
        return ReconnectAllCount.of(await service.count_broken(info.context.principal, provider))

    @strawberry.field(
        description="What `reconnectAll` would answer to the same input at this moment, with the connections as they "
        "stand. Nothing changes and nobody has to wait, so that it may be otherwise a moment later. Null, with an "
        "error, for who manages no client's connections, and for a sign-in that is no use."
    )
    async def reconnect_all_preview(
        self, info: Info, input: Annotated[ReconnectAllInput, LOOKED_AT]
    ) -> ReconnectAllPreview | None:
        with told_of_input():
            sign_in_id = SignInId(read_id("sign-in", input.sign_in_id, field="signInId"))
            mended = await service.preview_reconnect_all(info.context.principal, sign_in_id)
        return ReconnectAllPreview(
            outcomes=[MoveOutcomeType.mended(each) for each in mended.outcomes], remaining=mended.remaining
        )

    @strawberry.field(
        description="What `reassign` would answer to the same input at this moment, with the connections as they "
        "stand. Nothing changes and nobody has to wait, so that it may be otherwise a moment later. Null, with an "
        "error, for too many connections and for a sign-in that is no use."
    )
    async def reassign_preview(
        self, info: Info, input: Annotated[ReassignInput, LOOKED_AT]
    ) -> ReassignPreview | None:
        with told_of_input():
            outcomes = await _reassign(info.context.principal, input, service.preview_reassign)
        return ReassignPreview(outcomes=outcomes)


@strawberry.type
class MovingMutations:
    @strawberry.mutation(
        description="Mend every broken connection of the sign-in's provider that it reaches, of the clients whose "
        "connections the caller manages; never one that a person disconnected. They are then integrated by the "
        "caller, and sync. What completing the sign-in has mended is among the outcomes, each time. The same again "
        "changes nothing."
    )
    async def reconnect_all(
        self, info: Info, input: Annotated[ReconnectAllInput, GIVEN]
    ) -> ReconnectAllPayload:
        try:
            sign_in_id = SignInId(read_id("sign-in", input.sign_in_id, field="signInId"))
            mended = await service.reconnect_all(info.context.principal, sign_in_id)
        except EXPECTED as error:
            return ReconnectAllPayload(outcomes=[], remaining=0, errors=UserError.of(error))
        return ReconnectAllPayload(
            outcomes=[MoveOutcomeType.mended(each) for each in mended.outcomes],
            remaining=mended.remaining,
            errors=[],
        )

    @strawberry.mutation(
        description="Take over up to 1,000 connections: they are then integrated by the caller, and sync. One that "
        "hangs on the sign-in's own login already stays on it; then all that hangs on that login is shown as "
        "integrated by the caller. Each needs MANAGE_CONNECTIONS, or to be an administrator of its client."
    )
    async def reassign(self, info: Info, input: Annotated[ReassignInput, GIVEN]) -> ReassignPayload:
        try:
            outcomes = await _reassign(info.context.principal, input)
        except EXPECTED as error:
            return ReassignPayload(outcomes=[], errors=UserError.of(error))
        return ReassignPayload(outcomes=outcomes, errors=[])


async def _reassign(
    principal: Principal, given: ReassignInput, reassign: Reassigning = service.reassign
) -> list[MoveOutcomeType]:
    """Raises what `reassign` raises, and NotFound for a sign-in id that is none."""
    sign_in_id = SignInId(read_id("sign-in", given.sign_in_id, field="signInId"))
    return await outcomes_of(
        given.connection_ids,
        _connection_id,
        partial(reassign, principal, sign_in_id),
        of=MoveOutcomeType.named,
        unknown=MoveOutcomeType.unknown,
        called="connectionIds",
    )


def _connection_id(given: strawberry.ID) -> ConnectionId:
    return ConnectionId(read_id("connection", given, field="connectionIds"))
