"""The line between a session and a pretender: it counts calls, remembers answers, and bends them for a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import httpx

Bend: TypeAlias = Callable[[int, httpx.Response], httpx.Response]
"""The number of the call since `bend` was set, from 0 on, and its answer: what is heard instead."""

_OF_THE_LINE = ("content-encoding", "content-length", "transfer-encoding")


class Wire(httpx.AsyncBaseTransport):
    """`answers` are those of calls with an access token, in order. `memory` answers what was asked before."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._bend: Bend | None = None
        self._bent = 0
        self._memory: dict[tuple[object, ...], httpx.Response] = {}
        self.remembers = False
        self.answers: list[httpx.Response] = []

    def bend(self, how: Bend | None) -> None:
        """From now on; None leaves the answers as they are."""
        self._bend, self._bent = how, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return await self._heard(request)
        answer = await self._remembered(request)
        if self._bend is not None:
            answer, self._bent = self._bend(self._bent, answer), self._bent + 1
        self.answers.append(answer)
        return answer

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _remembered(self, request: httpx.Request) -> httpx.Response:
        if not self.remembers:
            return await self._heard(request)
        since = request.headers.get("if-modified-since")
        key = (request.method, str(request.url), request.content, since)
        if key not in self._memory:
            self._memory[key] = await self._heard(request)
        heard = self._memory[key]
        return httpx.Response(heard.status_code, headers=heard.headers, content=heard.content)

    async def _heard(self, request: httpx.Request) -> httpx.Response:
        """Whole, and unpacked."""
        answer = await self._transport.handle_async_request(request)
        content = await answer.aread()
        headers = [
            (name, value) for name, value in answer.headers.multi_items() if name.lower() not in _OF_THE_LINE
        ]
        return httpx.Response(answer.status_code, headers=headers, content=content)
