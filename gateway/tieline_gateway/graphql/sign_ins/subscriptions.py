"""Sign-ins, followed live until they are over."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from tieline import metrics
from tieline.ids import SignInId
from tieline.sign_ins import service
from tieline.sign_ins.states import SignInState
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.following import follow
from tieline_gateway.graphql.inputs import Id, read_id
from tieline_gateway.graphql.sign_ins.types import SignIn


@strawberry.type
class SignInSubscriptions:
    @strawberry.subscription(
        description="One of the caller's own sign-ins: as it is, then after each change, until it is FAILED, EXPIRED, "
        "or READY with the details of all its organisations. Unknown, or another's: the error NOT_FOUND."
    )
    async def sign_in(self, info: Info, id: Id) -> AsyncGenerator[SignIn | None, None]:
        sign_in_id = SignInId(read_id("sign-in", id))
        seen = follow(
            info.context,
            "sign_in",
            sign_in_id,
            look=lambda principal: service.get_sign_in(principal, sign_in_id),
            is_over=_is_over,
        )
        with metrics.subscriptions.labels("signIn").track_inprogress():
            async with aclosing(seen):
                async for sign_in in seen:
                    yield SignIn.of(sign_in)


def _is_over(sign_in: service.SignIn) -> bool:
    if sign_in.state is SignInState.READY:
        return sign_in.details_done >= sign_in.organisations_total
    return sign_in.state in {SignInState.FAILED, SignInState.EXPIRED}
