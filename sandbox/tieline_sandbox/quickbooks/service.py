"""What Intuit's endpoints work with: its state, the clock, the signing key, the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request

from tieline_sandbox.clock import Clock
from tieline_sandbox.jwts import SigningKey
from tieline_sandbox.quickbooks.limits import Limiter
from tieline_sandbox.quickbooks.model import QuickBooksState

PREFIX = "/quickbooks"


@dataclass(frozen=True, kw_only=True)
class Service:
    """`state` is a function because a reset puts another one in its place; `base` is where browsers find us.

    `refreshing` counts the refreshes of each token that are open together.
    """

    current: Callable[[], QuickBooksState]
    clock: Clock
    key: SigningKey
    limiter: Limiter
    base: str
    refreshing: Counter[str] = field(default_factory=Counter)

    @property
    def state(self) -> QuickBooksState:
        return self.current()

    @property
    def issuer(self) -> str:
        return f"{self.base}/op/v1"

    def now(self) -> datetime:
        return self.clock.now()


def service_of(request: Request) -> Service:
    """The service behind the application that serves this request."""
    found: Service = request.app.state.service
    return found
