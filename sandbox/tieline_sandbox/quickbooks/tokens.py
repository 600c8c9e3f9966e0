"""The token and revocation endpoints."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tieline_sandbox.forms import authenticated, basic, form_of
from tieline_sandbox.quickbooks import grants
from tieline_sandbox.quickbooks.faults import oauth_error
from tieline_sandbox.quickbooks.identity import id_token
from tieline_sandbox.quickbooks.model import App, Grant
from tieline_sandbox.quickbooks.service import Service, service_of

HARD_EXPIRY_HEADER = "x-include-refresh-token-hard-expires-in"
_STALE = "Incorrect or invalid refresh token"

_Form = dict[str, str]


async def token(request: Request) -> Response:
    """POST by Basic authentication: a code or a refresh token in, a pair of tokens out."""
    service = service_of(request)
    app = authenticated(service.state.apps, basic(request.headers))
    if app is None:
        return oauth_error("invalid_client")
    form = form_of(await request.body())
    ways: dict[str, Callable[[Service, App, _Form], dict[str, Any] | Response]] = {
        "authorization_code": _by_code,
        "refresh_token": _by_refresh_token,
    }
    if "grant_type" not in form:
        return oauth_error("invalid_request")
    way = ways.get(form["grant_type"])
    if way is None:
        return oauth_error("unsupported_grant_type")
    answer = way(service, app, form)
    if isinstance(answer, Response):
        return answer
    hard = answer.pop("x_refresh_token_hard_expires_in")
    if request.headers.get(HARD_EXPIRY_HEADER, "").lower() == "true":
        answer["x_refresh_token_hard_expires_in"] = hard
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def revocation(request: Request) -> Response:
    """POST `{"token": ...}` as JSON, a refresh or an access token: its authorisation ends. An unknown one is fine."""
    service = service_of(request)
    app = authenticated(service.state.apps, basic(request.headers))
    if app is None:
        return oauth_error("invalid_client")
    value = token_in(await request.body())
    if value is None:
        return oauth_error("invalid_request")
    found = service.state.holder(value) or service.state.grant_of(value)
    if found and found.client_id == app.client_id:
        grants.revoke(service.state, found)
    return Response(status_code=200)


def token_in(body: bytes) -> str | None:
    """The token of a revocation; None for a form, as RFC 7009 would have it, and for anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    value = found.get("token") if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def _by_code(service: Service, app: App, form: _Form) -> dict[str, Any] | Response:
    if not form.get("code") or not form.get("redirect_uri"):
        return oauth_error("invalid_request")
    try:
        grant, code = grants.exchange(
            service.state, app, form["code"], form["redirect_uri"], form.get("code_verifier"), service.now()
        )
    except grants.InvalidGrant:
        return oauth_error("invalid_grant")
    pair = _pair(service, grant)
    if "openid" in grant.scopes:
        pair["id_token"] = id_token(service, grant, access_token=pair["access_token"], nonce=code.nonce)
    return pair


def _by_refresh_token(service: Service, app: App, form: _Form) -> dict[str, Any] | Response:
    value = form.get("refresh_token")
    if not value:
        return oauth_error("invalid_request")
    held = service.state.holder(value)
    if held and app.parallel_refresh == "REVOKES" and service.refreshing[value] > 1:
        grants.revoke(service.state, held)
    try:
        return _pair(service, grants.refresh(service.state, app, value, service.now()))
    except grants.InvalidGrant:
        return oauth_error("invalid_grant", _STALE)


def _pair(service: Service, grant: Grant) -> dict[str, Any]:
    now = service.now()
    return {
        "token_type": "bearer",
        "access_token": grants.issue_access_token(service.state, grant, now).token,
        "expires_in": _seconds(grants.ACCESS_TOKEN_LIFE),
        "refresh_token": grant.refresh_token,
        "x_refresh_token_expires_in": _seconds(grants.expires_at(grant) - now),
        "x_refresh_token_hard_expires_in": _seconds(grant.hard_expires_at - now),
    }


def _seconds(life: timedelta) -> int:
    return math.ceil(life.total_seconds())
