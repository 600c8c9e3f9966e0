"""What those are told who come while the process holds as many connections as it may.

Health and figures are answered all the same: whoever asks for them decides whether the process stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from tieline.log import get_logger
from tieline_gateway.connections import FULL
from tieline_gateway.refusals import Refusals
from tieline_gateway.transport.bodies import linger
from tieline_gateway.transport.errors import RequestRefused

RETRY_SECONDS = 5

_ANSWERED: Final = frozenset({"/livez", "/readyz", "/metrics"})
_SAY_AGAIN_SECONDS = 60.0

log = get_logger(__name__)


class Places:
    """The ASGI middleware. `label` names the kind of a path."""

    def __init__(self, app: ASGIApp, *, label: Callable[[str], str], refusals: Refusals) -> None:
        self._app = app
        self._refusals = refusals
        self._label = label
        self._said_at: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        places = scope.get("state", {}).get(FULL)
        if places is not None:
            self._say(places)
        label = self._label(scope.get("path", ""))
        if places is None or (scope["type"] == "http" and label in _ANSWERED):
            await self._app(scope, receive, send)
            return
        error = RequestRefused.full(RETRY_SECONDS)
        response = self._refusals.at(label, error, why="Too many people are here.")
        if scope["type"] == "http":
            await linger(response, receive, send)
        else:
            await response(scope, receive, send)  # instead of the handshake

    def _say(self, places: int) -> None:
        now = time.monotonic()
        if self._said_at is None or now - self._said_at > _SAY_AGAIN_SECONDS:
            self._said_at = now
            log.warning("gateway.full", places=places)
