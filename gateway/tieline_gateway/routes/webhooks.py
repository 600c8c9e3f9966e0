"""Where providers tell of changes: who signed it is looked at first, what it says is kept, the rest is for later.

Every answer has an empty body. A provider whose delivery is not answered with 200 sends it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tieline.errors import TryAgain
from tieline.ids import AppId, parse_id
from tieline.log import fields_of, get_logger
from tieline.plugins import BadSignature
from tieline.webhooks import service
from tieline.webhooks.records import Address
from tieline_gateway.metrics import Metrics
from tieline_gateway.transport.bodies import LingeringResponse, TooLarge, TooLate, read_body

WEBHOOK_LABEL = "/webhooks"
MAX_DELIVERY_BYTES = 2_000_000
DELIVERY_SECONDS = 3.0  # the shortest that a provider waits for its answer

_WEBHOOK = re.compile(r"/webhooks/[^/]+/[^/]+")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_NOBODY = "none"

log = get_logger(__name__)


def is_webhook(path: str) -> bool:
    """Whether the path is one of the webhooks', for those who count requests."""
    return _WEBHOOK.fullmatch(path) is not None


@dataclass(frozen=True, kw_only=True)
class WebhookRoute:
    """The ASGI application of `/webhooks/{provider}/{app}`."""

    metrics: Metrics
    max_bytes: int = MAX_DELIVERY_BYTES
    seconds: float = DELIVERY_SECONDS

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
            return self._counted(_NOBODY, "unknown", 404)
        try:
            address = await service.address_of(provider, AppId(app_id))
        except TryAgain:
            return self._counted(_NOBODY, "busy", 503)
        except Exception as error:
            log.exception("webhook.not_read", provider=provider, app_id=str(app_id), **fields_of(error))
            return self._counted(_NOBODY, "failed", 500)
        if address is None:
            return self._counted(_NOBODY, "unknown", 404)
        return self._counted(provider, *await self._received(address, request))

    async def _received(self, address: Address, request: Request) -> tuple[str, int]:
        """What became of it, and the status that says so."""
        try:
            body = await read_body(request, max_bytes=self.max_bytes, seconds=self.seconds)
            return await service.receive(address, _headers(request), body), 200
        except TooLarge:
            return "too_large", 413
        except TooLate:
            return "too_late", 408
        except BadSignature:
            return "refused", address.refusal
        except TryAgain:
            return "busy", 503
        except ClientDisconnect:
            raise
        except Exception as error:
            log.exception("webhook.not_read", app_id=str(address.app.id), **fields_of(error))
            return "failed", 500

    def _counted(self, provider: str, outcome: str, status: int) -> Response:
        self.metrics.webhooks.labels(provider, outcome).inc()
        if status in {408, 413}:
            return LingeringResponse(status_code=status, headers={"connection": "close"})
        return Response(status_code=status)


def _headers(request: Request) -> dict[str, str]:
    """By name in lower case; one that is there twice has both values, and so is neither."""
    names = {name: request.headers.getlist(name) for name in request.headers}
    return {name: ", ".join(values) for name, values in names.items()}
