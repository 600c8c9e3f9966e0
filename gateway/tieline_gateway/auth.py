"""From a bearer token to the context that one GraphQL operation runs in."""

from __future__ import annotations

from tieline.identity import authenticate
from tieline_gateway.graphql.context import Context


async def context_of(token: str | None) -> Context:
    """A fresh context for one operation of this caller. Raises Unauthenticated."""
    return await Context.of(lambda: authenticate(token))
