"""Changes to sign-ins."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.ids import ConnectionId, SignInId
from tieline.plugins import Product
from tieline.sign_ins import service
from tieline.sign_ins.service import NewSignIn
from tieline.sign_ins.states import Purpose
from tieline.vault import Secret
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.sign_ins.types import SignIn
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.spending import BEGINNING_COST
from tieline_gateway.transport.rows import costing

_URL = "Where to send the browser; null when nobody has to sign in, or when nothing was started."


@strawberry.input(description="What a person signs in for, and where the browser goes afterwards.")
class StartSignInInput:
    provider: str = strawberry.field(description="The provider's short name.")
    purpose: Purpose
    products: list[Product] = strawberry.field(
        default_factory=list,
        description="What the consent has to cover; where RECONNECT or RECONNECT_ALL name none: the products of what "
        "is to be reconnected.",
    )
    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="The connection to reconnect; for RECONNECT, and only there."
    )
    return_url: str | None = strawberry.field(
        default=None,
        description="An address of an allowed origin, without a fragment; `signIn` and `proof`, or `error`, are added "
        "to its query. Without one, a page hands them to the window that opened it.",
    )

    def read(self) -> NewSignIn:
        """Raises NotFound for a connection id that is none."""
        named = self.connection_id
        return NewSignIn(
            provider=self.provider,
            purpose=self.purpose,
            products=tuple(self.products),
            connection_id=None
            if named is None
            else ConnectionId(read_id("connection", named, field="connectionId")),
            return_url=self.return_url,
        )


@strawberry.input(description="A sign-in whose browser has come back.")
class CompleteSignInInput:
    id: strawberry.ID
    proof: str = strawberry.field(description="What came back with the browser.")


@strawberry.input(description="A sign-in to go on with.")
class ContinueSignInInput:
    id: strawberry.ID
    connection_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="A connection that this round is for, one of many to reconnect: its organisation is preselected, "
        "and where a consent grants only one, no other will do.",
    )

    def read(self) -> tuple[SignInId, ConnectionId | None]:
        """Raises NotFound for an id that is none."""
        sign_in_id, named = SignInId(read_id("sign-in", self.id)), self.connection_id
        if named is None:
            return sign_in_id, None
        return sign_in_id, ConnectionId(read_id("connection", named, field="connectionId"))


@strawberry.type(description="A sign-in that has begun.")
class StartSignInPayload:
    sign_in: SignIn | None = strawberry.field(description="READY at once where nobody has to sign in.")
    authorization_url: str | None = strawberry.field(description=_URL)
    errors: list[UserError]


@strawberry.type(description="A sign-in that is completed.")
class CompleteSignInPayload:
    sign_in: SignIn | None = strawberry.field(description="READY; null when it was not completed.")
    errors: list[UserError]


@strawberry.type(description="A sign-in with one more trip to the provider.")
class ContinueSignInPayload:
    sign_in: SignIn | None = strawberry.field(description="With all it has found so far.")
    authorization_url: str | None = strawberry.field(description=_URL)
    errors: list[UserError]


@strawberry.type
class SignInMutations:
    @strawberry.mutation(
        description="Begin to sign in at a provider. Needs MANAGE_CONNECTIONS, or to be an administrator of a client.",
        metadata=costing(BEGINNING_COST),
    )
    async def start_sign_in(
        self, info: Info, input: Annotated[StartSignInInput, GIVEN]
    ) -> StartSignInPayload:
        try:
            wanted = input.read()
            principal = await info.context.begin_sign_in()
            started = await service.start_sign_in(principal, wanted)
        except EXPECTED as error:
            return StartSignInPayload(sign_in=None, authorization_url=None, errors=UserError.of(error))
        return StartSignInPayload(
            sign_in=SignIn.of(started.sign_in), authorization_url=started.authorization_url, errors=[]
        )

    @strawberry.mutation(
        description="Take what the browser brought back, and look what the login reaches. The same again is harmless."
    )
    async def complete_sign_in(
        self, info: Info, input: Annotated[CompleteSignInInput, GIVEN]
    ) -> CompleteSignInPayload:
        try:
            sign_in_id = SignInId(read_id("sign-in", input.id))
            proof = Secret(input.proof)
            completed = await service.complete_sign_in(info.context.principal, sign_in_id, proof)
        except EXPECTED as error:
            return CompleteSignInPayload(sign_in=None, errors=UserError.of(error))
        return CompleteSignInPayload(sign_in=SignIn.of(completed), errors=[])

    @strawberry.mutation(
        description="Go to the provider once more in the same sign-in, for another organisation or after a failure.",
        metadata=costing(BEGINNING_COST),
    )
    async def continue_sign_in(
        self, info: Info, input: Annotated[ContinueSignInInput, GIVEN]
    ) -> ContinueSignInPayload:
        try:
            wanted = input.read()
            principal = await info.context.begin_sign_in()
            started = await service.continue_sign_in(principal, *wanted)
        except EXPECTED as error:
            return ContinueSignInPayload(sign_in=None, authorization_url=None, errors=UserError.of(error))
        return ContinueSignInPayload(
            sign_in=SignIn.of(started.sign_in), authorization_url=started.authorization_url, errors=[]
        )
