"""Where providers send browsers back to: the answer of the consent page, read with suspicion and used once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tieline.errors import Refused, TryAgain
from tieline.ids import AppId, parse_id
from tieline.log import correlation_id, get_logger, trace_of
from tieline.sign_ins import service
from tieline.sign_ins.service import ConsentAnswer
from tieline_gateway.routes.consent_page import handing_page, redirect, sentence_page

CALLBACK_LABEL = "/oauth/callback"
MAX_QUERY_BYTES = 8 * 1024
MAX_PARAMETER_CHARS = 4 * 1024
_MAX_PARAMETERS = 30

_CALLBACK = re.compile(r"/oauth/[^/]+/[^/]+/callback")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_UNKNOWN = "This address is not known here, or no longer. Go back to where you came from and begin again."
_MALFORMED = "The provider's answer cannot be read. Go back to where you came from and begin again."
_BUSY = "We could not take this in just now. Reload this page in a moment."
_BROKEN = "Something went wrong on our side; the correlation id is {}. Reload this page in a moment."

log = get_logger(__name__)


class Malformed(ValueError):
    """The query is too large, or not what a provider sends."""


def is_callback(path: str) -> bool:
    """Whether the path is one of the callbacks', for those who count requests."""
    return _CALLBACK.fullmatch(path) is not None


def read_parameters(query: bytes) -> dict[str, str]:
    """What the provider answered. Raises Malformed; RFC 6749, 3.1: no parameter may be there twice."""
    if len(query) > MAX_QUERY_BYTES:
        raise Malformed("the query is too long")
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError:
        raise Malformed("the query is not encoded as it should be") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise Malformed("a parameter is there twice")
    if any(len(text) > MAX_PARAMETER_CHARS or "\x00" in text for pair in pairs for text in pair):
        raise Malformed("a parameter is too long, or holds a NUL character")
    return parameters


class OAuthCallback:
    """The ASGI application of `/oauth/{provider}/{app}/callback`. Its addresses hold secrets and are never logged."""

    def __init__(self, *, origins: frozenset[str]) -> None:
        self._origins = origins

    def route(self) -> Route:
        return Route("/oauth/{provider}/{app}/callback", self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method != "GET":
            return PlainTextResponse(
                "Only GET is answered here.\n", status_code=405, headers={"allow": "GET"}
            )
        if _is_prefetch(request.headers):
            return sentence_page(_BUSY, status=503)  # the browser asks again when a person goes there
        app_id, provider = parse_id(request.path_params["app"]), request.path_params["provider"]
        if app_id is None or not _SLUG.fullmatch(provider):
            return sentence_page(_UNKNOWN, status=400)
        try:
            parameters = read_parameters(request.scope["query_string"])
        except Malformed:
            return sentence_page(_MALFORMED, status=400)
        return await self._answer(provider, AppId(app_id), parameters)

    async def _answer(self, provider: str, app_id: AppId, parameters: Mapping[str, str]) -> Response:
        try:
            answer = await service.answer_consent(provider, app_id, parameters)
        except Refused as error:
            return sentence_page(str(error), status=400)
        except TryAgain:
            return sentence_page(_BUSY, status=503)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told by its class
            trace = trace_of(error)
            log.error("oauth.callback_failed", provider=provider, app_id=str(app_id), exception=trace)  # noqa: TRY400
            return sentence_page(_BROKEN.format(correlation_id()), status=500)
        return self._told(answer)

    def _told(self, answer: ConsentAnswer) -> Response:
        if answer.sign_in_id is None:
            return sentence_page(answer.sentence, status=400)
        if answer.location is not None:
            return redirect(answer.location)
        outcome = {"proof": answer.proof.reveal()} if answer.proof else {"error": str(answer.failure)}
        return handing_page(answer.sentence, {"signIn": str(answer.sign_in_id), **outcome}, self._origins)


def _is_prefetch(headers: Mapping[str, str]) -> bool:
    """Whether the browser only guesses that a person will go here."""
    purposes = (headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return any("prefetch" in purpose.lower() or "prerender" in purpose.lower() for purpose in purposes)
