"""From what a caller says about itself to the context that one GraphQL operation runs in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from tieline.identity import authenticate, identify
from tieline_gateway.graphql.context import Context
from tieline_gateway.presence import Presence
from tieline_gateway.transport.incoming import Credentials


async def context_of(
    credentials: Credentials,
    *,
    presence: Presence | None = None,
    begins_sign_in: Callable[[str | None], Awaitable[None]] | None = None,
) -> Context:
    """A fresh context for one operation of this caller. Raises as `authenticate` does.

    `begins_sign_in` is told the address of whoever begins one, and raises where that is too much.
    """
    return await Context.of(
        lambda: authenticate(credentials.token, credentials.practice),
        lambda: identify(credentials.token),
        guests=not credentials.over_socket,
        unchanged=None if presence is None else presence.unchanged,
        begins_sign_in=None if begins_sign_in is None else partial(begins_sign_in, credentials.host),
    )
