"""What may come from one address before anybody is known to stand for it.

    /graphql            a request whose token is wrong costs
    /oauth/…/callback   each request costs
    /webhooks/…         a delivery that is refused costs

Once its bucket is empty, an address is answered 429 and nothing is looked up for it. What was good from there a moment
ago, a token or the address of a webhook, is let through: people share addresses, and a provider's few serve everybody.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tieline import rates
from tieline.rates import Rate
from tieline_gateway.routes.consent_page import sentence_page
from tieline_gateway.routes.oauth import CALLBACK_LABEL
from tieline_gateway.routes.webhooks import WEBHOOK_LABEL
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.http import refusal
from tieline_gateway.transport.negotiation import JSON

Kept = TypeVar("Kept")

MOST_REMEMBERED = 20_000
GRAPHQL_LABEL = "/graphql"

_GOOD = range(200, 400)
_NETWORK_BITS = 64  # what one household or office has of IPv6


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What costs at one kind of path: each request, or those that end with `statuses`."""

    kind: str
    rate: Rate
    statuses: range | None

    def scaled(self, by: float) -> Guard:
        rate = Rate(per_second=self.rate.per_second * by, burst=max(self.rate.burst * by, 1))
        return Guard(kind=self.kind, rate=rate, statuses=self.statuses)


GUARDS = {
    GRAPHQL_LABEL: Guard(kind="token", rate=Rate(per_second=1, burst=60), statuses=range(401, 402)),
    CALLBACK_LABEL: Guard(kind="callback", rate=Rate(per_second=5, burst=100), statuses=None),
    WEBHOOK_LABEL: Guard(kind="webhook", rate=Rate(per_second=1, burst=60), statuses=range(400, 500)),
}


class Addresses:
    """The ASGI middleware. `label` names the kind of a path, `scale` says how much of what is above is let through."""

    def __init__(self, app: ASGIApp, *, label: Callable[[str], str], scale: float) -> None:
        self._app = app
        self._label = label
        self._guards = {path: guard.scaled(scale) for path, guard in GUARDS.items()} if scale else {}
        self._shut_until: OrderedDict[str, float] = OrderedDict()
        self._good: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guard = self._guards.get(self._label(scope["path"])) if scope["type"] == "http" else None
        if guard is None or not scope.get("client"):
            await self._app(scope, receive, send)
            return
        address = network_of(scope["client"][0])
        shown = _shown(guard, address, scope)
        wait = None if shown in self._good else await self._wait(guard, address)
        if wait is not None:
            await _refusal(guard, wait)(scope, receive, send)
            return
        status = await self._status(scope, receive, send)
        if guard.statuses is not None:
            await self._learn(guard, address, shown, status)

    async def _wait(self, guard: Guard, address: str) -> timedelta | None:
        """How long the address has to wait before it is heard."""
        if guard.statuses is None:
            return await rates.spend(guard.kind, address, 1, guard.rate)
        seconds = self._shut_until.get(f"{guard.kind} {address}", 0.0) - time.monotonic()
        return timedelta(seconds=seconds) if seconds > 0 else None

    async def _learn(self, guard: Guard, address: str, shown: str, status: int | None) -> None:
        """What was good is let through from now on; what was not costs, and shuts an address that has nothing left."""
        assert guard.statuses is not None
        if status in guard.statuses:
            self._good.pop(shown, None)
            wait = await rates.spend(guard.kind, address, 1, guard.rate)
            if wait is not None:
                until = time.monotonic() + wait.total_seconds()
                _remember(self._shut_until, f"{guard.kind} {address}", until)
        elif status in _GOOD:
            _remember(self._good, shown, None)

    async def _status(self, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Of the application's answer; None where nobody waited for it."""
        status: int | None = None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(scope, receive, answer)
        return status


def network_of(host: str) -> str:
    """Whom an address stands for: itself, or its network of 64 bits in IPv6."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))


def _shown(guard: Guard, address: str, scope: Scope) -> str:
    """What a request brings for itself, from where: its token, or the webhook that it knows of. As a hash."""
    brought = Headers(scope=scope).get("authorization", "") if guard.kind == "token" else scope["path"]
    return hashlib.sha256(f"{guard.kind} {address} {brought}".encode(errors="replace")).hexdigest()


def _refusal(guard: Guard, wait: timedelta) -> Response:
    error = RequestRefused.for_a_while(wait)
    if guard.kind == "token":
        return refusal(error, JSON)
    if guard.kind == "callback":
        sentence = f"Too many came back from a provider at once. Reload this page in {error.retry_after} s."
        response: Response = sentence_page(sentence, status=429)
    else:
        response = Response(status_code=429)
    response.headers["retry-after"] = str(error.retry_after)
    return response


def _remember(kept: OrderedDict[str, Kept], name: str, value: Kept) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)
