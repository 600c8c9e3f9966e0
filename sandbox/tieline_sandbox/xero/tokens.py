"""The token and revocation endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tieline_sandbox.forms import authenticated, form_of
from tieline_sandbox.xero import grants
from tieline_sandbox.xero.credentials import credentials
from tieline_sandbox.xero.model import App, Session
from tieline_sandbox.xero.problems import oauth_error
from tieline_sandbox.xero.service import Service, service_of

_Form = dict[str, str]


async def token(request: Request) -> Response:
    """POST: a code or a refresh token in, a new pair out."""
    service, form = service_of(request), form_of(await request.body())
    app = authenticated(service.state.apps, credentials(request.headers, form))
    if app is None:
        return oauth_error("invalid_client")
    if "grant_type" not in form:
        return oauth_error("invalid_request")
    ways: dict[str, Callable[[Service, App, _Form], Response]] = {
        "authorization_code": _by_code,
        "refresh_token": _by_refresh_token,
    }
    way = ways.get(form["grant_type"])
    if way is None:
        return oauth_error("unsupported_grant_type")
    try:
        return way(service, app, form)
    except grants.InvalidGrant:
        return oauth_error("invalid_grant")


async def revocation(request: Request) -> Response:
    """POST `token=<refresh token>`: the whole consent of its person ends. An unknown token is fine, too."""
    service, form = service_of(request), form_of(await request.body())
    app = authenticated(service.state.apps, credentials(request.headers, form))
    if app is None:
        return oauth_error("invalid_client")
    if "token" not in form:
        return oauth_error("invalid_request")
    found = service.state.refresh_tokens.get(form["token"])
    session = service.state.sessions.get(found.session_id) if found else None
    if session and session.client_id == app.client_id:
        grants.revoke(service.state, app.client_id, session.user_id)
    return Response(status_code=200)


def _by_code(service: Service, app: App, form: _Form) -> Response:
    if not form.get("code") or not form.get("redirect_uri"):
        return oauth_error("invalid_request")
    verifier = form.get("code_verifier")
    session, code = grants.exchange(
        service.state, app, form["code"], form["redirect_uri"], verifier, service.now()
    )
    return _pair(service, session, nonce=code.nonce)


def _by_refresh_token(service: Service, app: App, form: _Form) -> Response:
    if not form.get("refresh_token"):
        return oauth_error("invalid_request")
    return _pair(service, grants.rotate(service.state, app, form["refresh_token"], service.now()), nonce=None)


def _pair(service: Service, session: Session, *, nonce: str | None) -> Response:
    now, signer = service.now(), service.signer
    access_token = signer.access_token(session, now)
    answer: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": int(grants.ACCESS_TOKEN_LIFE.total_seconds()),
        "token_type": "Bearer",
        "scope": " ".join(sorted(session.scopes)),
    }
    if "openid" in session.scopes:
        user = service.state.users[session.user_id]
        answer["id_token"] = signer.id_token(session, user, access_token=access_token, nonce=nonce, now=now)
    if "offline_access" in session.scopes:
        answer["refresh_token"] = grants.issue_refresh_token(service.state, session, now).token
    return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})
