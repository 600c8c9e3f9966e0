"""The HTTP client for all providers: so many calls at once, and one that is cancelled leaves nothing taken.

The places are counted here, since httpcore's own count loses them: a connection whose request is cancelled between two
of its steps stays in the pool for ever, of no use to anybody (encode/httpcore#1093). One by one such orphans would take
up `max_connections`, until each call ended with PoolTimeout and only a new process helped. Not counted, and with the
socket closed, one is a little memory. `max_keepalive_connections` counts orphans too, and above it no connection is
used twice; so there is none. What is kept was in a place, and is not used again after five seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

PLACES = 100
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0


def provider_client(*, places: int = PLACES) -> httpx.AsyncClient:
    """It keeps no cookies of one call for another, follows nobody elsewhere, and goes by the environment's proxies."""
    return _Client(
        places,
        follow_redirects=False,
        timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )


class _Client(httpx.AsyncClient):
    """A call has a place from before it is sent until its answer is closed, by whichever proxy it goes."""

    def __init__(self, places: int, **options: Any) -> None:
        super().__init__(**options)
        self._places = asyncio.Semaphore(places)

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Waits for a place as long as the request would for a connection. Raises PoolTimeout."""
        await self._take_place(request)
        with ExitStack() as place:
            place.callback(self._places.release)
            response = await self._sent(request, **options)
            if not response.is_closed:
                response.stream = _Placed(response.stream, place.pop_all())
            return response

    async def _take_place(self, request: httpx.Request) -> None:
        waits = request.extensions.get("timeout", self.timeout.as_dict())
        try:
            async with asyncio.timeout(waits.get("pool")):
                await self._places.acquire()
        except TimeoutError as late:
            raise httpx.PoolTimeout("all places are taken", request=request) from late

    async def _sent(self, request: httpx.Request, **options: Any) -> httpx.Response:
        opened = _Opened()
        request.extensions = {**request.extensions, "trace": opened}
        try:
            return await super().send(request, **options)
        except BaseException:
            await opened.aclose()
            raise


class _Opened:
    """The socket that a request has opened, until the request is written to it: from then on httpcore closes it.

    It hears of both as httpcore's `trace` extension does.
    """

    def __init__(self) -> None:
        self._sockets = AsyncExitStack()

    async def __call__(self, event: str, told: Mapping[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._sockets.push_async_callback(told["return_value"].aclose)
        elif event.endswith(".send_request_headers.started"):
            self._sockets.pop_all()

    async def aclose(self) -> None:
        await self._sockets.aclose()


class _Placed(httpx.AsyncByteStream):
    """The body of an answer. Closing it gives back the place, and is gone through with even where it is cancelled."""

    def __init__(self, body: httpx.SyncByteStream | httpx.AsyncByteStream, place: ExitStack) -> None:
        assert isinstance(body, httpx.AsyncByteStream)
        self._body = body
        self._place = place

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        closing = asyncio.create_task(self._close())
        try:
            await asyncio.shield(closing)
        finally:
            await asyncio.wait([closing])

    async def _close(self) -> None:
        with self._place:
            await self._body.aclose()
