"""Closing a caller's TCP connection without an answer, which ASGI alone has no word for."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_KEY = "tieline_sandbox.transport"


def droppable_protocol(*args: Any, **kwargs: Any) -> asyncio.Protocol:
    """Uvicorn's HTTP protocol, whose application finds the connection's transport in its scope."""
    protocol = cast("Any", AutoHTTPProtocol)(*args, **kwargs)
    made = protocol.connection_made

    def connection_made(transport: asyncio.Transport) -> None:
        made(transport)
        protocol.app = _with_transport(protocol.app, transport)

    protocol.connection_made = connection_made
    return cast("asyncio.Protocol", protocol)


def _with_transport(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def carrying(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_KEY] = transport
        await app(scope, receive, send)

    return carrying


async def drop(scope: Scope, receive: Receive) -> None:
    """Reset the connection; returns when the server has noticed, so that it does not ask for an answer."""
    transport: asyncio.Transport | None = scope.get(_KEY)
    if transport is None:
        raise RuntimeError("Only the sandbox's own server can drop a connection.")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
