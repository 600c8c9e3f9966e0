"""What every request to a provider passes on its way: the log, planted faults, limits, delays, the saved state."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from tieline_sandbox.answers import Answer, captured
from tieline_sandbox.clock import Clock
from tieline_sandbox.dropping import drop
from tieline_sandbox.faults import Fault, Faults
from tieline_sandbox.log import Call, RequestLog
from tieline_sandbox.store import Store


class Provider(Protocol):
    """What a pretended provider adds of its own."""

    @property
    def app(self) -> ASGIApp: ...

    def identify(self, scope: Scope, body: bytes) -> Call:
        """Who asks what; leaves in `scope` what its own endpoints want to find there."""
        ...

    def admit(self, scope: Scope) -> AbstractContextManager[Answer | None]:
        """Holds a place within the limits while the call is worked on, or gives the refusal."""
        ...

    def instead(self, fault: Fault) -> Answer | None:
        """What a planted fault answers with nothing done, in this provider's words."""
        ...

    def headers(self, scope: Scope) -> dict[str, str]:
        """What every answer says beside its own, such as what is left of the limits."""
        ...


class Latency:
    """How long every call takes at least, in seconds; `put` and `end` let those go on that are waiting."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = asyncio.Event()

    async def wait(self, more: float) -> None:
        seconds = self.seconds + more
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)

    def put(self, seconds: float) -> None:
        self.seconds = seconds
        self._over.set()
        self._over = asyncio.Event()

    def end(self) -> None:
        self._over.set()


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The ASGI application in front of a provider's own."""

    provider: Provider
    clock: Clock
    log: RequestLog
    faults: Faults
    store: Store
    latency: Latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        call = self.provider.identify(scope, body)
        fault = self.faults.take(call)
        entry = self.log.begin(call, at=self.clock.now(), fault=fault.kind if fault else None)
        answer: Answer | None = None
        try:
            answer = await self._answer(scope, body, fault)
        finally:
            self.log.finish(entry, answer.status if answer else None)
        if call.method != "GET":
            self.store.changed()
        await self.store.settle()
        if answer is None:
            await drop(scope, receive)
        else:
            await answer.packed_for(call.headers.get("accept-encoding", "")).send(send)

    async def _answer(self, scope: Scope, body: bytes, fault: Fault | None) -> Answer | None:
        """None where the caller gets no answer."""
        if fault and fault.kind == "drop":
            return None
        instead = self.provider.instead(fault) if fault else None
        if instead:
            return instead
        with self.provider.admit(scope) as refusal:
            if refusal:
                return refusal.with_headers(self.provider.headers(scope))
            await self.latency.wait(fault.seconds if fault and fault.kind == "slow" else 0)
            answer = await captured(self.provider.app, scope, body)
        if fault and fault.kind == "lost_answer":
            return None
        answer = answer.with_headers(self.provider.headers(scope))
        return fault.bend(answer) if fault else answer


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
