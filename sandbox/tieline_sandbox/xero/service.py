"""What Xero's endpoints work with: its state, the clock, the signer, the limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from tieline_sandbox.clock import Clock
from tieline_sandbox.xero.limits import Limiter
from tieline_sandbox.xero.model import XeroState
from tieline_sandbox.xero.signing import Signer


@dataclass(frozen=True, kw_only=True)
class Service:
    """`state` is a function because a reset puts another one in its place."""

    current: Callable[[], XeroState]
    clock: Clock
    signer: Signer
    limiter: Limiter

    @property
    def state(self) -> XeroState:
        return self.current()

    def now(self) -> datetime:
        return self.clock.now()


def service_of(request: Request) -> Service:
    """The service behind the application that serves this request."""
    found: Service = request.app.state.service
    return found
