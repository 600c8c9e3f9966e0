"""Ending a token at its provider, and what the answer means."""

from __future__ import annotations

import json

import httpx

from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, provider_of, secret_of
from tieline.credentials.giving_back.service import Turn
from tieline.database import scope
from tieline.errors import (
    NotFound,
    ProviderBroken,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from tieline.host import host
from tieline.plugins import TokenRequest, revocation_request, send
from tieline.vault import Secret

_HTTP_SECONDS = 20.0
_OF_THE_APP = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
_APP_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


async def revoke(app: App, token: Secret, turn: Turn) -> None:
    """End a token at the provider, in this time; one that it does not know any more is no trouble.

    The turn is in doubt where no answer came; an answer of any kind says that the provider has done with it.

    Raises ProviderUnavailable, ProviderMisconfigured and ProviderBroken.
    """
    async with scope(app.practice_id):
        sealed = await AppRepository.of(app.practice_id).sealed_secret(app.id)
    if sealed is None:
        raise NotFound("app", app.id)
    request = revocation_request(
        provider_of(app).oauth,
        endpoints_of(app),
        client_id=app.client_id,
        client_secret=secret_of(app, sealed),
        token=token,
    )
    seconds = min(_HTTP_SECONDS, turn.seconds(app.provider))
    status, body = await _answer(app, request, turn, seconds=seconds)
    trouble = _trouble(app.provider, status, body)
    if trouble is not None:
        raise trouble


async def _answer(app: App, request: TokenRequest, turn: Turn, *, seconds: float) -> tuple[int, bytes]:
    turn.in_doubt = True
    try:
        answer = await send(host().client, request, provider=app.provider, seconds=seconds)
    except ProviderUnavailable as away:
        turn.in_doubt = away.sent
        raise
    except ProviderBroken:  # an answer that is too long is one
        turn.in_doubt = False
        raise
    turn.in_doubt = False
    return answer


def _trouble(provider: str, status: int, body: bytes) -> ProviderError | None:
    """What the answer to a revocation means (RFC 7009, 2.2); a refusal of the token itself means that it is over."""
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        return ProviderUnavailable(provider)
    if status in _OF_THE_APP or (httpx.codes.is_client_error(status) and _error_of(body) in _APP_ERRORS):
        return ProviderMisconfigured(provider)
    if httpx.codes.is_success(status) or httpx.codes.is_client_error(status):
        return None
    return ProviderBroken(provider, "the revocation endpoint sends elsewhere")


def _error_of(body: bytes) -> str | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error.lower() if isinstance(error, str) else None
