"""One HTTP exchange with a provider: bounded in time and size, no redirect followed, no cookie sent.

What it answers and raises holds no credential: the response has lost its request, an error's cause its headers.
"""

from __future__ import annotations

import asyncio

import httpx

from tieline.errors import AnswerTooLarge, ProviderUnavailable

_USER_AGENT = "Tieline"
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_OF_THE_LINE = ("content-encoding", "content-length", "transfer-encoding")


async def exchange(
    client: httpx.AsyncClient, request: httpx.Request, *, provider: str, seconds: float, max_bytes: int
) -> httpx.Response:
    """The whole answer, whatever its status. Raises ProviderUnavailable and AnswerTooLarge."""
    request.headers.setdefault("User-Agent", _USER_AGENT)
    request.headers["Accept-Encoding"] = "gzip"
    # Connecting gives up before the whole does, so that "nothing was sent" is known whenever it can be.
    request.extensions["timeout"] = httpx.Timeout(seconds, connect=seconds / 2, pool=seconds / 2).as_dict()
    try:
        async with asyncio.timeout(seconds):
            return await _whole(client, request, provider=provider, max_bytes=max_bytes)
    except TimeoutError as late:
        raise ProviderUnavailable(provider) from late
    except httpx.HTTPError as lost:
        lost.request = httpx.Request(request.method, request.url.copy_with(query=None))
        raise ProviderUnavailable(provider, sent=not isinstance(lost, _UNSENT)) from lost


async def _whole(
    client: httpx.AsyncClient, request: httpx.Request, *, provider: str, max_bytes: int
) -> httpx.Response:
    response = await client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > max_bytes:
                raise AnswerTooLarge(provider, max_bytes=max_bytes)
    finally:
        await response.aclose()
    headers = response.headers.copy()
    for name in _OF_THE_LINE:
        headers.pop(name, None)
    return httpx.Response(response.status_code, headers=headers, content=bytes(body))
