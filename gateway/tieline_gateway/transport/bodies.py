"""Bodies that strangers send: so many bytes, in so much time, and an answer that reaches even who sends more."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_LINGER_SECONDS = 1.0


class TooLarge(Exception):
    """The body is longer than is read; what came of it is thrown away."""


class TooLate(Exception):
    """The body did not arrive in time."""


async def read_body(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """All of the body. Raises TooLarge, TooLate, and ClientDisconnect."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise TooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise TooLarge
    except TimeoutError:
        raise TooLate from None
    return bytes(body)


class LingeringResponse(Response):
    """Answers at once, then throws away what is still under way: a closed door would drop the answer too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await linger(self, receive, send)


async def linger(response: Response, receive: Receive, send: Send) -> None:
    """Any answer, given so; nothing of the body was read before."""
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body"})
