"""What may come from one address: before anybody is known to stand for it, and of sign-ins whoever does.

    /graphql            a token that is wrong costs, by HTTP or on a socket; so does each sign-in that begins
    /oauth/…/callback   each request costs
    /webhooks/…         a delivery that is refused costs

What is wrong costs twice: a bucket of its own each time, and its address's the first time that it comes. So who guesses
is soon shut out with its address, and nothing is looked up for it; a tab that was left open, or one practice's webhook
with the wrong secret, shuts out itself alone. What was good from there a moment ago is let through: people share
addresses, and a provider's few serve everybody.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tieline import rates
from tieline.errors import RateLimited, Unauthenticated
from tieline.rates import Rate
from tieline_gateway.refusals import Refusals
from tieline_gateway.routes.oauth import CALLBACK_LABEL
from tieline_gateway.routes.webhooks import WEBHOOK_LABEL
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.incoming import PRACTICE_HEADER

Kept = TypeVar("Kept")

MOST_REMEMBERED = 20_000
GRAPHQL_LABEL = "/graphql"

_GOOD = range(200, 400)
_WHY = "Too many came back from a provider at once."
_NETWORK_BITS = 64  # what one household or office has of IPv6


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What costs at one kind of path: each request, or those that end with `statuses`.

    `strange` are the statuses of what nobody here knows, which cost the address too.
    """

    kind: str
    rate: Rate
    statuses: range | None
    strange: Container[int] = ()

    def scaled(self, by: float) -> Guard:
        rate = Rate(per_second=self.rate.per_second * by, burst=max(self.rate.burst * by, 1))
        return replace(self, rate=rate)


GUARDS = {
    GRAPHQL_LABEL: Guard(
        kind="token", rate=Rate(per_second=1, burst=60), statuses=range(401, 402), strange={401}
    ),
    CALLBACK_LABEL: Guard(kind="callback", rate=Rate(per_second=5, burst=100), statuses=None),
    WEBHOOK_LABEL: Guard(
        kind="webhook", rate=Rate(per_second=1, burst=60), statuses=range(400, 500), strange={404, 405}
    ),
}
SIGN_INS = Guard(kind="sign-in", rate=GUARDS[CALLBACK_LABEL].rate, statuses=None)
"""Each comes back as a callback, mostly to the same address."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody comes from an address. `shown` is a hash of what it brings: its token, or the webhook it knows of."""

    guard: Guard
    address: str
    shown: str


class Strangers:
    """What came from where, and how it was. `scale` says how much of `GUARDS` is let through; 0: whatever comes."""

    def __init__(self, *, scale: float) -> None:
        self._guards = {path: guard.scaled(scale) for path, guard in GUARDS.items()} if scale else {}
        self._sign_ins = SIGN_INS.scaled(scale) if scale else None
        self._shut_until: OrderedDict[str, float] = OrderedDict()
        self._good: OrderedDict[str, None] = OrderedDict()
        self._wrong: OrderedDict[str, None] = OrderedDict()

    def visit(self, label: str, host: str, brought: str) -> Visit | None:
        """None where nothing is counted."""
        guard = self._guards.get(label)
        if guard is None:
            return None
        address = network_of(host)
        named = f"{guard.kind} {address} {brought}".encode(errors="replace")
        return Visit(guard=guard, address=address, shown=hashlib.sha256(named).hexdigest())

    async def wait(self, visit: Visit) -> timedelta | None:
        """How long it has to wait before it is heard."""
        guard = visit.guard
        if guard.statuses is None:
            return await rates.spend(guard.kind, visit.address, 1, guard.rate)
        if visit.shown in self._good:
            return None
        shut = (self._shut_until.get(f"{guard.kind} {who}", 0.0) for who in (visit.address, visit.shown))
        seconds = max(shut) - time.monotonic()
        return timedelta(seconds=seconds) if seconds > 0 else None

    async def learn(self, visit: Visit, status: int | None) -> None:
        """What was good is let through from now on; what was not costs, and is shut out with nothing left."""
        guard = visit.guard
        if guard.statuses is None:
            return
        if status in guard.statuses:
            known = visit.shown in self._wrong
            self._good.pop(visit.shown, None)
            _remember(self._wrong, visit.shown, None)
            await self._charge(guard, visit.shown)
            if status in guard.strange and not known:
                await self._charge(guard, visit.address)
        elif status in _GOOD:
            _remember(self._good, visit.shown, None)

    async def _charge(self, guard: Guard, who: str) -> None:
        wait = await rates.spend(guard.kind, who, 1, guard.rate)
        if wait is not None:
            _remember(self._shut_until, f"{guard.kind} {who}", time.monotonic() + wait.total_seconds())

    async def begins_sign_in(self, host: str | None) -> None:
        """Somebody who is known begins a sign-in, or goes on with one. Raises RateLimited."""
        if self._sign_ins is None or host is None:
            return
        wait = await rates.spend(self._sign_ins.kind, network_of(host), 1, self._sign_ins.rate)
        if wait is not None:
            raise RateLimited(wait)

    @asynccontextmanager
    async def hears(self, host: str, brought: str) -> AsyncIterator[None]:
        """Around looking up who opens a socket. Raises `RequestRefused` instead, while it is shut out."""
        visit = self.visit(GRAPHQL_LABEL, host, brought)
        if visit is None:
            yield
            return
        wait = await self.wait(visit)
        if wait is not None:
            raise RequestRefused.for_a_while(wait)
        try:
            yield
        except Unauthenticated:
            await self.learn(visit, 401)
            raise
        await self.learn(visit, 200)


class Addresses:
    """The ASGI middleware of requests. `label` names the kind of a path."""

    def __init__(
        self, app: ASGIApp, *, label: Callable[[str], str], strangers: Strangers, refusals: Refusals
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._label = label
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = self._visit(scope)
        if visit is None:
            await self._app(scope, receive, send)
            return
        wait = await self._strangers.wait(visit)
        if wait is not None:
            error = RequestRefused.for_a_while(wait)
            await self._refusals.at(self._label(scope["path"]), error, why=_WHY)(scope, receive, send)
            return
        await self._strangers.learn(visit, await self._status(scope, receive, send))

    def _visit(self, scope: Scope) -> Visit | None:
        if scope["type"] != "http" or not scope.get("client"):
            return None
        label = self._label(scope["path"])
        brought = _credentials(scope) if label == GRAPHQL_LABEL else scope["path"]
        return self._strangers.visit(label, scope["client"][0], brought)

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


def _credentials(scope: Scope) -> str:
    """A token, and the practice it is shown for: one that is good for one practice is wrong for another."""
    headers = Headers(scope=scope)
    said = (headers.get("authorization"), headers.get(PRACTICE_HEADER))
    return " ".join(value for value in said if value)


def _remember(kept: OrderedDict[str, Kept], name: str, value: Kept) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)
