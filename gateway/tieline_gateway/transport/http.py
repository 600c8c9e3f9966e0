"""POST /graphql: the GraphQL-over-HTTP specification, with bodies read as if a stranger had sent them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tieline.errors import PracticeNeeded, Refused, TryAgain, Unauthenticated
from tieline_gateway.transport.bodies import LingeringResponse, TooLarge, TooLate, read_body
from tieline_gateway.transport.documents import only
from tieline_gateway.transport.errors import RequestRefused, refused
from tieline_gateway.transport.incoming import (
    LONG,
    PRACTICE_HEADER,
    Credentials,
    GraphQLRequest,
    Malformed,
)
from tieline_gateway.transport.negotiation import JSON, check_content_type, negotiate
from tieline_gateway.transport.operations import Context, Operations, Outcome

MAX_BODY_BYTES = 1_000_000
BODY_SECONDS = 30.0

_TOO_LARGE = 413
_HEADERS = {
    401: {"www-authenticate": "Bearer"},
    405: {"allow": "POST"},
    408: {"connection": "close"},
    _TOO_LARGE: {"connection": "close"},
}


@dataclass(frozen=True, kw_only=True)
class HTTPEndpoint(Generic[Context]):
    """The ASGI application of the path's HTTP side. `body_seconds` is the time a body may take to arrive."""

    operations: Operations[Context]
    body_seconds: float = BODY_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        media = JSON
        try:
            _check_method(request)
            media = negotiate(request.headers)
            check_content_type(request.headers)
            outcome = await self._run(request)
            return _answer(outcome.payload(), media, status=401 if _is_nobodys(outcome) else 200)
        except RequestRefused as error:
            return refusal(error, media)
        except (Refused, TryAgain) as error:
            return _turned_away(error, media)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - masked and logged
            return _answer({"errors": [self.operations.mask.internal(error)]}, media, status=500)

    async def _run(self, request: Request) -> Outcome:
        credentials = Credentials.read(
            _only_header(request, "authorization"),
            _only_header(request, PRACTICE_HEADER),
            host=request.client.host if request.client else None,
        )
        context = await self.operations.authenticated(credentials)  # before strangers send anything
        body, was_there = await self._body(request)
        try:
            asked = GraphQLRequest.read(await self.operations.read_body(body, context))
        except Malformed as error:
            raise RequestRefused.because("BAD_REQUEST", str(error), status=400) from None
        waited = not was_there or len(body) > LONG  # whoever began to send may be nobody by now
        prepared, context = await self.operations.admit(asked, context, credentials, waited=waited)
        only(prepared.operation, OperationType.QUERY, OperationType.MUTATION)
        work = self.operations.run(prepared, context)
        if prepared.kind is OperationType.MUTATION:
            return await work
        return await _while_connected(request, work)

    async def _body(self, request: Request) -> tuple[bytes, bool]:
        """All of it, and whether it was there already: then nothing else ran while it was read."""
        others_ran = asyncio.Event()
        next_turn = asyncio.get_running_loop().call_soon(others_ran.set)
        try:
            body = await read_body(request, max_bytes=MAX_BODY_BYTES, seconds=self.body_seconds)
        except TooLarge:
            raise RequestRefused.because(
                "BODY_TOO_LARGE", f"A request body may hold {MAX_BODY_BYTES:,} bytes.", status=_TOO_LARGE
            ) from None
        except TooLate:
            raise RequestRefused.because(
                "BODY_TIMEOUT", f"The body did not arrive within {self.body_seconds:g} s.", status=408
            ) from None
        finally:
            next_turn.cancel()
        return body, not others_ran.is_set()


async def _while_connected(request: Request, work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The result of `work`, which is cancelled when nobody waits for it any more."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _check_method(request: Request) -> None:
    if request.method != "POST":
        raise RequestRefused.because("METHOD_NOT_ALLOWED", "Only POST is answered here.", status=405)


def _only_header(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise Unauthenticated
    return values[0] if values else None


def _is_nobodys(outcome: Outcome) -> bool:
    """Whether it came to nothing because the caller is not known."""
    return outcome.unauthenticated and not any(value is not None for value in (outcome.data or {}).values())


def _status(error: Refused | TryAgain) -> int:
    if isinstance(error, Unauthenticated):
        return 401
    if isinstance(error, PracticeNeeded):
        return 400
    return 503 if isinstance(error, TryAgain) else 403


def refusal(error: RequestRefused, media: str) -> Response:
    """The answer to a request that cannot run."""
    status = error.status or (200 if media == JSON else 400)
    return _again_after(error.retry_after, _answer({"errors": error.errors}, media, status=status))


def _turned_away(error: Refused | TryAgain, media: str) -> Response:
    """The answer to a request of which nothing ran because of who asks, or of what passes by itself."""
    told = refused(error)
    answer = _answer({"errors": [told]}, media, status=_status(error))
    return _again_after(told["extensions"].get("retryAfter"), answer)


def _again_after(seconds: int | None, response: Response) -> Response:
    if seconds is not None:
        response.headers["retry-after"] = str(seconds)
    return response


def _answer(payload: dict[str, Any], media: str, *, status: int) -> Response:
    body = json.dumps(payload, separators=(",", ":"), allow_nan=False)
    kind = LingeringResponse if status == _TOO_LARGE else Response
    response = kind(body, status_code=status, media_type=f"{media}; charset=utf-8")
    response.headers.update({"cache-control": "no-store", **_HEADERS.get(status, {})})
    return response
