"""For those who run it: is the process alive, may it have traffic, what does it count."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tieline import readiness
from tieline.errors import Unavailable
from tieline.exposing import CONTENT_TYPE_LATEST, exposed, may_read
from tieline.settings import Settings
from tieline_gateway.metrics import Metrics

_SECONDS = 3.0


async def root(_request: Request) -> Response:
    """For people who open the address in a browser."""
    return PlainTextResponse("Tieline: POST GraphQL to /graphql, with an API key or a token as bearer.\n")


async def livez(_request: Request) -> Response:
    """The process answers; whether its neighbours do is for `/readyz`."""
    return PlainTextResponse("ok\n")


async def readyz(_request: Request) -> Response:
    """200 when the database answers and has this version's schema, else 503 with what is wrong, or that it drains."""
    is_ready, body = await readiness.told(seconds=_SECONDS)
    return JSONResponse(body, status_code=200 if is_ready else 503)


class MetricsRoute:
    """`/metrics`, for those who hold the token; open in development."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        self._settings = settings

    async def __call__(self, request: Request) -> Response:
        if not may_read(self._settings, request.headers.get("authorization", "")):
            return PlainTextResponse("Not found\n", status_code=404)
        try:
            async with asyncio.timeout(_SECONDS):
                self._metrics.observe(await readiness.job_backlog(), await readiness.held_back())
        except (TimeoutError, Unavailable):
            self._metrics.observe((), None)
        return Response(exposed(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)
