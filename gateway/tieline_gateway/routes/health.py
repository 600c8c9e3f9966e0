"""For those who run it: is the process alive, may it have traffic, what does it count."""

from __future__ import annotations

import asyncio
import hmac

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tieline import draining, readiness
from tieline.errors import Unavailable
from tieline.settings import Settings
from tieline_gateway.metrics import Metrics
from tieline_gateway.settings import GatewaySettings

_SECONDS = 3.0


async def root(_request: Request) -> Response:
    """For people who open the address in a browser."""
    return PlainTextResponse("Tieline: POST GraphQL to /graphql, with an API key or a token as bearer.\n")


async def livez(_request: Request) -> Response:
    """The process answers; whether its neighbours do is for `/readyz`."""
    return PlainTextResponse("ok\n")


async def readyz(_request: Request) -> Response:
    """200 when the database answers and has this version's schema, else 503 with what is wrong, or that it drains."""
    if draining.under_way():
        return JSONResponse({"ready": False, "draining": True}, status_code=503)
    report = await readiness.check(seconds=_SECONDS)
    body = {
        "ready": report.ready,
        "database": report.database,
        "schema": report.schema,
        "doorbell": report.doorbell,
    }
    return JSONResponse(body, status_code=200 if report.ready else 503)


class MetricsRoute:
    """`/metrics`, for those who hold the token; open in development."""

    def __init__(self, metrics: Metrics, settings: Settings, gateway: GatewaySettings) -> None:
        self._metrics = metrics
        self._token = gateway.metrics_token
        self._open = settings.is_development and gateway.metrics_token is None

    async def __call__(self, request: Request) -> Response:
        if not self._open and not self._holds_token(request):
            return PlainTextResponse("Not found\n", status_code=404)
        try:
            async with asyncio.timeout(_SECONDS):
                self._metrics.observe(await readiness.job_backlog())
        except (TimeoutError, Unavailable):
            self._metrics.observe(())
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    def _holds_token(self, request: Request) -> bool:
        if self._token is None:
            return False
        expected = f"Bearer {self._token.get_secret_value()}".encode()
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected)
