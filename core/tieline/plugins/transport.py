"""One HTTP exchange with a provider: bounded in time and size, no redirect followed, no cookie sent, told to the log.

What it answers and raises holds no credential: the response has lost its request, an error's cause its headers.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import httpx

from tieline import metrics
from tieline.errors import AnswerTooLarge, ProviderUnavailable
from tieline.log import get_logger

_USER_AGENT = "Tieline"
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_OF_THE_LINE = ("content-encoding", "content-length", "transfer-encoding")
_MEASURES = frozenset({"content-length", "transfer-encoding"})
_LONG_BYTES = 256 * 1024
_REFERENCE = re.compile(r"[A-Za-z0-9._:=+/-]{1,100}")

_log = get_logger(__name__)


async def exchange(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    provider: str,
    seconds: float,
    max_bytes: int,
    reference_header: str | None = None,
) -> httpx.Response:
    """The whole answer, whatever its status. Raises ProviderUnavailable and AnswerTooLarge."""
    began, response = time.perf_counter(), None
    try:
        response = await _answered(client, request, provider=provider, seconds=seconds, max_bytes=max_bytes)
        return response
    finally:
        _log.info(
            "provider.called",
            provider=provider,
            method=request.method,
            path=request.url.path,
            status=response.status_code if response is not None else None,
            reference=reference_of(response, reference_header),
            ms=round((time.perf_counter() - began) * 1000),
        )


async def counted(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    provider: str,
    seconds: float,
    max_bytes: int,
    reference_header: str | None,
) -> httpx.Response:
    """As `exchange`, and counted as a call to the provider that came to what the answer's status says."""
    with metrics.provider_called(provider) as called:
        answer = await exchange(
            client,
            request,
            provider=provider,
            seconds=seconds,
            max_bytes=max_bytes,
            reference_header=reference_header,
        )
        called.answered(answer.status_code)
    return answer


def reference_of(response: httpx.Response | None, header: str | None) -> str | None:
    """What the provider calls its answer; None where it does not say, or something that is no name."""
    said = response.headers.get(header, "").strip() if response is not None and header is not None else ""
    return said if _REFERENCE.fullmatch(said) else None


async def _answered(
    client: httpx.AsyncClient, request: httpx.Request, *, provider: str, seconds: float, max_bytes: int
) -> httpx.Response:
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
    if await _is_cut_off(request, response, body):
        raise ProviderUnavailable(provider)
    headers = response.headers.copy()
    for name in _OF_THE_LINE:
        headers.pop(name, None)
    return httpx.Response(response.status_code, headers=headers, content=bytes(body))


async def _is_cut_off(request: httpx.Request, response: httpx.Response, body: bytearray) -> bool:
    """Whether JSON whose end only the end of the connection told is not all of it (RFC 9112, 6.3).

    Where a length was told, the HTTP library has seen to it. Nothing at all is an answer to what reads nothing, and a
    refusal says by its status and headers what it means, whatever its body.
    """
    if not response.is_success or response.status_code == httpx.codes.NO_CONTENT:
        return False
    if not (body or request.method == "GET"):
        return False
    if not _is_json(response.headers) or not _MEASURES.isdisjoint(response.headers):
        return False
    is_long = len(body) > _LONG_BYTES
    return await asyncio.to_thread(_breaks_off, body) if is_long else _breaks_off(body)


def _is_json(headers: httpx.Headers) -> bool:
    """One JSON text, that is: not a sequence of them."""
    told: str = headers.get("content-type", "")
    kind = told.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _breaks_off(body: bytearray) -> bool:
    try:
        json.loads(body, object_pairs_hook=_let_go)
    except (ValueError, RecursionError):
        return True
    return False


def _let_go(_pairs: list[tuple[str, Any]]) -> None:
    """Nothing is kept of an object; between two of them the parser lets other threads have their turns."""
