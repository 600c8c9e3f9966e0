"""Where providers tell of changes: who signed it is looked at first, what it says is kept, the rest is for later.

Every answer has an empty body. A provider whose delivery is not answered with 200 sends it again.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tieline.errors import TryAgain
from tieline.ids import AppId, parse_id
from tieline.log import fields_of, get_logger, trace_of
from tieline.plugins import BadSignature
from tieline.webhooks import service
from tieline.webhooks.intake import Misread
from tieline.webhooks.records import Address
from tieline_gateway.metrics import Metrics
from tieline_gateway.transport.bodies import LingeringResponse, TooLarge, TooLate, read_body

WEBHOOK_LABEL = "/webhooks"
MAX_DELIVERY_BYTES = 2_000_000
ANSWER_SECONDS = 2.5  # the shortest that a provider waits for its answer is 3
BODY_SECONDS = 1.5
NOBODY = "none"
"""Whose a webhook is, in figures, before that is known."""

_WEBHOOK = re.compile(r"/webhooks/[^/]+/[^/]+")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

log = get_logger(__name__)


def is_webhook(path: str) -> bool:
    """Whether the path is one of the webhooks', for those who count requests."""
    return _WEBHOOK.fullmatch(path) is not None


@dataclass(frozen=True, kw_only=True)
class WebhookRoute:
    """The ASGI application of `/webhooks/{provider}/{app}`."""

    metrics: Metrics
    max_bytes: int = MAX_DELIVERY_BYTES
    seconds: float = ANSWER_SECONDS
    body_seconds: float = BODY_SECONDS

    def route(self) -> Route:
        return Route("/webhooks/{provider}/{app}", self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "POST"})
        app_id, provider = parse_id(request.path_params["app"]), request.path_params["provider"]
        if app_id is None or not _SLUG.fullmatch(provider):
            return self._counted(NOBODY, "unknown", 404)
        return await self._answered(provider, AppId(app_id), request)

    async def _answered(self, provider: str, app_id: AppId, request: Request) -> Response:
        """In time, whatever is waited for: what was not kept by then is not kept at all."""
        address: Address | None = None
        try:
            async with asyncio.timeout(self.seconds):
                address = await service.address_of(provider, app_id)
                outcome, status = await self._received(address, request)
        except ClientDisconnect:
            raise
        except (TryAgain, TimeoutError):
            outcome, status = "busy", 503
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told by its class
            log.error("webhook.not_read", provider=provider, app_id=str(app_id), **_told(error))  # noqa: TRY400
            outcome, status = "failed", 500
        return self._counted(NOBODY if address is None else provider, outcome, status)

    async def _received(self, address: Address | None, request: Request) -> tuple[str, int]:
        """What became of it, and the status that says so."""
        if address is None:
            return "unknown", 404
        try:
            body = await read_body(request, max_bytes=self.max_bytes, seconds=self.body_seconds)
            return await service.receive(address, _headers(request), body), 200
        except TooLarge:
            return "too_large", 413
        except TooLate:
            return "too_late", 408
        except BadSignature:
            return "refused", address.refusal

    def _counted(self, provider: str, outcome: str, status: int) -> Response:
        self.metrics.webhooks.labels(provider, outcome).inc()
        if status in {408, 413}:
            return LingeringResponse(status_code=status, headers={"connection": "close"})
        return Response(status_code=status)


def _headers(request: Request) -> dict[str, str]:
    """By name in lower case; one that is there twice has both values, and so is neither."""
    names = {name: request.headers.getlist(name) for name in request.headers}
    return {name: ", ".join(values) for name, values in names.items()}


def _told(error: Exception) -> dict[str, Any]:
    """What may be logged of it: the words of others may quote the body, or what it is signed with."""
    reason = {"reason": str(error)} if isinstance(error, Misread) else {}
    return {**fields_of(error), **reason, "exception": trace_of(error)}
