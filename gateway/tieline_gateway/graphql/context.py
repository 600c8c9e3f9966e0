"""What one operation carries: who asks, and the loaders that gather what its fields ask for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry

from tieline.principal import Principal
from tieline_gateway.graphql.loaders import Ahead, Loaders

AUTHORITY_SECONDS = 5.0
"""How old the knowledge of who a subscription's caller is, and what it may, can be when something is sent."""


@dataclass(kw_only=True)
class Context:
    """Made anew for each operation, never for a socket: loaders and authority must not grow stale."""

    principal: Principal
    loaders: Loaders
    _authenticate: Callable[[], Awaitable[Principal]] = field(repr=False)
    _known_at: float

    @classmethod
    async def of(cls, authenticate: Callable[[], Awaitable[Principal]]) -> Context:
        """`authenticate` says who calls now. Raises what it raises."""
        principal, known_at = await authenticate(), time.monotonic()
        return cls(
            principal=principal,
            loaders=Loaders.of(principal),
            _authenticate=authenticate,
            _known_at=known_at,
        )

    async def renew(self) -> None:
        """For the next event of a subscription: nothing is loaded, and authority is fresh. Raises Unauthenticated."""
        await self.confirm()
        self.load_ahead(Ahead())

    async def confirm(self) -> None:
        """Authority is fresh from here on; what is loaded stays. Raises Unauthenticated."""
        if time.monotonic() - self._known_at >= AUTHORITY_SECONDS:
            self.principal, self._known_at = await self._authenticate(), time.monotonic()

    def load_ahead(self, ahead: Ahead) -> None:
        """Nothing is loaded; what is loaded next takes along what will be asked for."""
        self.loaders = Loaders.of(self.principal, ahead)


Info: TypeAlias = strawberry.Info[Context, None]
