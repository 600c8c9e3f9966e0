"""Questions about sign-ins."""

from __future__ import annotations

import strawberry

from tieline.ids import SignInId
from tieline.sign_ins import service
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import Id, read_id
from tieline_gateway.graphql.sign_ins.types import SignIn


@strawberry.type
class SignInQueries:
    @strawberry.field(
        description="One of the caller's own sign-ins. Unknown, or another's: the error NOT_FOUND."
    )
    async def sign_in(self, info: Info, id: Id) -> SignIn | None:
        sign_in_id = SignInId(read_id("sign-in", id))
        return SignIn.of(await service.get_sign_in(info.context.principal, sign_in_id))
