"""What happens around every request: its correlation id, its place in the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tieline.log import correlate
from tieline_gateway.metrics import Metrics

CORRELATION_HEADER = "x-correlation-id"


class Correlation:
    """Takes over or makes the correlation id, and sends it back with the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        correlation = correlate(Headers(scope=scope).get(CORRELATION_HEADER))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[CORRELATION_HEADER] = correlation
            await send(message)

        await self._app(scope, receive, answer)


class Measured:
    """Counts and times what is answered, by route and never by what strangers write into a path.

    `label` makes one of a few names of any path.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, label: Callable[[str], str]) -> None:
        self._app = app
        self._metrics = metrics
        self._label = label

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with self._metrics.sockets.track_inprogress():
                await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._label(scope["path"])
        began = time.perf_counter()
        status = "aborted"

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._metrics.requests.labels(route, status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began)
