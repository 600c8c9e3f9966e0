"""What one operation carries: who asks, and the loaders that gather what its fields ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import strawberry

from tieline.errors import Unauthenticated
from tieline.identity.tokens import Identity
from tieline.principal import Principal
from tieline_gateway.graphql.loaders import Ahead, Loaders

AUTHORITY_SECONDS = 5.0
"""How old the knowledge of who a subscription's caller is, and what it may, can be when something is sent."""

_LOOKING_UP = asyncio.Semaphore(4)  # thousands who wake in one moment leave connections for everybody else


class Unchanged(Protocol):
    """Until when nothing has changed of what a caller may who was looked up after `since`; None: nobody knows.

    Instants are by `time.monotonic`.
    """

    def __call__(self, caller: Principal, *, since: float) -> float | None: ...


@dataclass(kw_only=True)
class Context:
    """Made anew for each operation, never for a socket: loaders and authority must not grow stale.

    A guest is known to the issuer and to nobody here: it may accept an invitation, and nothing else.
    """

    _authenticate: Callable[[], Awaitable[Principal]] = field(repr=False)
    _identify: Callable[[], Awaitable[Identity]] = field(repr=False)
    _principal: Principal | None
    _loaders: Loaders | None
    _known_at: float
    _identified_at: float
    _unchanged: Unchanged | None = None
    _begins_sign_in: Callable[[], Awaitable[None]] | None = field(default=None, repr=False)

    @classmethod
    async def of(
        cls,
        authenticate: Callable[[], Awaitable[Principal]],
        identify: Callable[[], Awaitable[Identity]],
        *,
        guests: bool = False,
        unchanged: Unchanged | None = None,
        begins_sign_in: Callable[[], Awaitable[None]] | None = None,
    ) -> Context:
        """`authenticate` says who calls now, `identify` whom the issuer says it is. Raises what they raise."""
        principal, known_at = None, time.monotonic()
        try:
            principal = await authenticate()
        except Unauthenticated:
            if not guests:
                raise
            await identify()
        return cls(
            _authenticate=authenticate,
            _identify=identify,
            _principal=principal,
            _loaders=None if principal is None else Loaders(principal),
            _known_at=known_at,
            _identified_at=known_at,
            _unchanged=unchanged,
            _begins_sign_in=begins_sign_in,
        )

    @property
    def principal(self) -> Principal:
        """Who calls. Raises Unauthenticated for a guest."""
        if self._principal is None:
            raise Unauthenticated
        return self._principal

    @property
    def loaders(self) -> Loaders:
        """What gathers for this caller. Raises Unauthenticated for a guest."""
        if self._loaders is None:
            raise Unauthenticated
        return self._loaders

    async def caller(self) -> str:
        """A name for whoever asks, the same for all of a person's keys and tokens. Raises Unauthenticated."""
        if self._principal is None:
            guest = await self._identify()
            return f"{guest.issuer} {guest.subject}"
        return f"{self._principal.practice_id} {self._principal.person_id or self._principal.api_key_id}"

    async def identity(self) -> Identity:
        """Whom the issuer says the caller is. Raises Unauthenticated for keys."""
        return await self._identify()

    async def begin_sign_in(self) -> Principal:
        """Who calls, counted once more for the address it comes from. Raises RateLimited, and Unauthenticated."""
        principal = self.principal
        if self._begins_sign_in is not None:
            await self._begins_sign_in()
        return principal

    async def renew(self) -> None:
        """For the next event of a subscription: nothing is loaded, and authority is fresh. Raises Unauthenticated."""
        await self.confirm()
        self.load_ahead(Ahead)

    async def confirm(self) -> None:
        """Authority is fresh from here on; what is loaded stays. Raises Unauthenticated."""
        if self._is_stale():
            async with _LOOKING_UP:
                if self._is_stale():  # while it waited, the caller may have been found unchanged
                    at = time.monotonic()
                    self._principal = await self._authenticate()
                    self._known_at = self._identified_at = at
        at = time.monotonic()
        if self.principal.api_key_id is None and at - self._identified_at >= AUTHORITY_SECONDS:
            await self._identify()  # for the issuer may take back its key
            self._identified_at = at

    def _is_stale(self) -> bool:
        return time.monotonic() - self._confirmed_at() >= AUTHORITY_SECONDS

    def _confirmed_at(self) -> float:
        """When what is known of the caller was true: as it was looked up, or later, where nothing has changed since."""
        unchanged = None
        if self._principal is not None and self._unchanged is not None:
            unchanged = self._unchanged(self._principal, since=self._known_at)
        return self._known_at if unchanged is None else max(self._known_at, unchanged)

    def load_ahead(self, ahead: Callable[[], Ahead]) -> None:
        """Nothing is loaded; what is loaded next takes along what will be asked for."""
        self._loaders = Loaders(self.principal, ahead)


Info: TypeAlias = strawberry.Info[Context, None]
