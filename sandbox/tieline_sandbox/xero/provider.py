"""Xero as the gate sees it: its routes, who asks what, its limits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from uuid import uuid4

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from tieline_sandbox.answers import Answer
from tieline_sandbox.faults import Fault
from tieline_sandbox.forms import form_of
from tieline_sandbox.log import Call
from tieline_sandbox.xero import accounting, attachments, authorize, connections, identity, problems, tokens
from tieline_sandbox.xero.access import Access, Bearer, access_of, bearer_of, claims_of
from tieline_sandbox.xero.credentials import credentials
from tieline_sandbox.xero.scopes import ATTACHMENTS
from tieline_sandbox.xero.service import Service

PREFIX = "/xero"
_BOOKS = "/api.xro/2.0/"
_ENDPOINTS = {
    "/identity/connect/authorize": "authorize",
    "/connect/token": "token",
    "/connect/revocation": "revocation",
    "/connect/userinfo": "userinfo",
    "/.well-known": "discovery",
    "/connections": "connections",
    f"{_BOOKS}organisation": "organisation",
    _BOOKS: "accounting",
}
_CALLER = "tieline_sandbox.xero.caller"


class Xero:
    """The provider `xero`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.app = Starlette(
            routes=[
                Route("/identity/connect/authorize", authorize.authorize, methods=["GET", "POST"]),
                Route("/connect/token", tokens.token, methods=["POST"]),
                Route("/connect/revocation", tokens.revocation, methods=["POST"]),
                Route("/connect/userinfo", identity.userinfo),
                Route("/.well-known/openid-configuration", identity.configuration),
                Route("/.well-known/openid-configuration/jwks", identity.jwks),
                Route("/connections", connections.connections),
                Route("/Connections", connections.connections),
                Route("/connections/{id}", connections.connection, methods=["DELETE"]),
                Route("/Connections/{id}", connections.connection, methods=["DELETE"]),
                Route(_BOOKS + "{resource}", accounting.collection),
                Route(_BOOKS + "{resource}/{id}", accounting.element),
                Route(_BOOKS + "{resource}/{id}/Attachments", attachments.attachments),
                Route(_BOOKS + "{resource}/{id}/Attachments/{attachment}", attachments.attachment),
            ],
            exception_handlers={404: _not_found},
        )
        self.app.router.redirect_slashes = False
        self.app.state.service = service

    def identify(self, scope: Scope, body: bytes) -> Call:
        headers, path = Headers(scope=scope), str(scope["path"])
        inside = path.removeprefix(PREFIX)
        endpoint = _endpoint(inside)
        family = "accounting" if endpoint == "organisation" else endpoint
        call = Call(
            provider="xero",
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            endpoint=endpoint,
            family=family,
            headers={name.lower(): value for name, value in headers.items()},
            **self._who(endpoint, inside, headers, body, scope),
        )
        if family == "accounting":
            scope[accounting.ACCESS] = access_of(self._service, headers, _resource(inside))
            scope[_CALLER] = scope[accounting.ACCESS]
        elif endpoint == "connections":
            scope[_CALLER] = bearer_of(self._service, headers)
        return call

    def admit(self, scope: Scope) -> AbstractContextManager[Answer | None]:
        service, caller = self._service, scope.get(_CALLER)
        if isinstance(caller, Access):
            session = caller.bearer.session
            tier = service.state.apps[session.client_id].tier
            return service.limiter.place(
                session.client_id, tier, caller.organisation.tenant_id, service.now()
            )
        if isinstance(caller, Bearer):
            client_id = caller.session.client_id
            service.limiter.count_for_app(client_id, service.state.apps[client_id].tier, service.now())
        return nullcontext()

    def instead(self, fault: Fault) -> Answer | None:
        if fault.kind == "throttle":
            return problems.planted_throttle(fault.problem, fault.retry_after).with_headers(_named())
        answer = fault.instead()
        return answer.with_headers(_named()) if answer else None

    def headers(self, scope: Scope) -> dict[str, str]:
        """What is left of the limits, and on every answer the id that Xero's support asks for."""
        service, caller = self._service, scope.get(_CALLER)
        if caller is None or isinstance(caller, Response):
            return _named()
        session = caller.bearer.session if isinstance(caller, Access) else caller.session
        tier = service.state.apps[session.client_id].tier
        tenant_id = caller.organisation.tenant_id if isinstance(caller, Access) else None
        return _named() | service.limiter.remaining(session.client_id, tier, tenant_id, service.now())

    def _who(
        self, endpoint: str, path: str, headers: Headers, body: bytes, scope: Scope
    ) -> dict[str, str | None]:
        if endpoint == "authorize":
            return self._visitor(scope, body)
        if endpoint in ("token", "revocation"):
            return self._app(headers, body)
        claims = claims_of(self._service, headers)
        tenant_id = headers.get("xero-tenant-id", "").lower() or None
        if endpoint == "connections" and scope["method"] == "DELETE":
            id_ = path.rpartition("/")[2]
            found = (one for one in self._service.state.connections.values() if one.id == id_)
            tenant_id = next((one.tenant_id for one in found), None)
        return {
            "client_id": claims.client_id if claims else None,
            "user": claims.user_id if claims else None,
            "organisation": tenant_id,
        }

    def _visitor(self, scope: Scope, body: bytes) -> dict[str, str | None]:
        form, query = form_of(body), Request(scope).query_params
        user = self._service.state.person(form.get("user", query.get("as", "")))
        return {
            "client_id": query.get("client_id"),
            "user": user.id if user else None,
            "organisation": form.get("organisation"),
        }

    def _app(self, headers: Headers, body: bytes) -> dict[str, str | None]:
        state, form = self._service.state, form_of(body)
        given = credentials(headers, form)
        code = state.codes.get(form.get("code", ""))
        refresh = state.refresh_tokens.get(form.get("refresh_token", form.get("token", "")))
        session = state.sessions.get(refresh.session_id) if refresh else None
        owner = code or session
        return {
            "client_id": given[0] if given else form.get("client_id"),
            "user": owner.user_id if owner else None,
            "grant_type": form.get("grant_type"),
        }


def _named() -> dict[str, str]:
    return {"Xero-Correlation-Id": str(uuid4())}


def _endpoint(path: str) -> str:
    lower = path.lower()
    return next((name for start, name in _ENDPOINTS.items() if lower.startswith(start)), "other")


def _resource(path: str) -> str:
    """The endpoint of the books whose scope is wanted: attachments of anything have their own."""
    parts = path.split("/")
    return ATTACHMENTS if parts[5:6] == ["Attachments"] else parts[3]


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problems.not_found()
