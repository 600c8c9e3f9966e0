"""QuickBooks Online as the gate sees it: its routes, who asks what, its limits, its faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from urllib.parse import urlencode
from uuid import uuid4

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Scope

from tieline_sandbox.answers import Answer
from tieline_sandbox.faults import Fault
from tieline_sandbox.forms import basic, form_of
from tieline_sandbox.log import Call
from tieline_sandbox.quickbooks import accounting, authorize, batches, identity, tokens
from tieline_sandbox.quickbooks.access import Access, access_of, grant_in
from tieline_sandbox.quickbooks.faults import Said, throttled
from tieline_sandbox.quickbooks.model import Code, Grant
from tieline_sandbox.quickbooks.service import PREFIX, Service

_COMPANY = "/v3/company/"
_ENDPOINTS = {
    "/connect/oauth2": "authorize",
    "/app/connect/oauth2/request": "authorize",
    "/oauth2/v1/tokens/bearer": "token",
    "/v2/oauth2/tokens/revoke": "revocation",
    "/v1/openid_connect/userinfo": "userinfo",
    "/.well-known/openid": "discovery",
    "/op/v1/jwks": "discovery",
}
_DISCOVERY = tuple(
    f"/.well-known/openid_{kind}{end}"
    for kind in ("configuration", "sandbox_configuration")
    for end in ("", "/")
)
_BOOKS = ("companyinfo", "query", "cdc", "batch")
_REFRESHED = "tieline_sandbox.quickbooks.refreshed"


class QuickBooks:
    """The provider `quickbooks`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        realm = _COMPANY + "{realm_id}"
        self.app = Starlette(
            routes=[
                Route("/connect/oauth2", authorize.authorize, methods=["GET", "POST"]),
                Route("/app/connect/oauth2/request", authorize.reconnect, methods=["GET", "POST"]),
                Route("/oauth2/v1/tokens/bearer", tokens.token, methods=["POST"]),
                Route("/v2/oauth2/tokens/revoke", tokens.revocation, methods=["POST"]),
                Route("/v1/openid_connect/userinfo", identity.userinfo),
                *(Route(path, identity.configuration) for path in _DISCOVERY),
                Route("/op/v1/jwks", identity.jwks),
                Route(realm + "/companyinfo/{id}", accounting.company_info),
                Route(realm + "/preferences", accounting.preferences),
                Route(realm + "/query", accounting.query, methods=["GET", "POST"]),
                Route(realm + "/cdc", accounting.changes),
                Route(realm + "/batch", batches.batch, methods=["POST"]),
                Route(realm + "/{entity}/{id}", accounting.entity),
                Route(realm + "/{rest:path}", accounting.unsupported, methods=["GET", "POST"]),
            ]
        )
        self.app.router.redirect_slashes = False
        self.app.state.service = service

    def identify(self, scope: Scope, body: bytes) -> Call:
        headers, path = Headers(scope=scope), str(scope["path"])
        inside = path.removeprefix(PREFIX)
        endpoint = _endpoint(inside)
        realm_id = inside.removeprefix(_COMPANY).split("/")[0] if inside.startswith(_COMPANY) else None
        if realm_id is not None:
            scope[accounting.ACCESS] = access_of(self._service, headers, realm_id)
        return Call(
            provider="quickbooks",
            method=scope["method"],
            path=path,
            query=_asked(scope, endpoint, body),
            endpoint=endpoint,
            family="accounting" if realm_id is not None else endpoint,
            headers={name.lower(): value for name, value in headers.items()},
            **self._who(endpoint, realm_id, headers, body, scope),
        )

    def admit(self, scope: Scope) -> AbstractContextManager[Answer | None]:
        access = scope.get(accounting.ACCESS)
        if isinstance(access, Access):
            client_id, realm_id = access.grant.client_id, access.company.realm_id
            is_batch = _endpoint(scope["path"].removeprefix(PREFIX)) == "batch"
            return self._service.limiter.place(client_id, realm_id, self._service.now(), is_batch=is_batch)
        refreshed = scope.get(_REFRESHED)
        return self._refreshing(refreshed) if refreshed else nullcontext()

    def instead(self, fault: Fault) -> Answer | None:
        now, tid = self._service.now(), {"intuit_tid": _tid()}
        if fault.kind == "throttle":
            return throttled(fault.retry_after, now).with_headers(tid)
        if fault.kind == "fault":
            said = Said(
                type=fault.type, code=fault.code, message=fault.message, detail=fault.detail, more=fault.more
            )
            return said.written(fault.form, fault.status or 200, now).with_headers(tid)
        answer = fault.instead()
        return answer.with_headers(tid) if answer else None

    def headers(self, _scope: Scope) -> dict[str, str]:
        """Nothing about limits, but on every answer the id that Intuit's support asks for."""
        return {"intuit_tid": _tid()}

    @contextmanager
    def _refreshing(self, token: str) -> Iterator[None]:
        """Knows while a refresh is worked on that another one of the same token would be a second."""
        self._service.refreshing[token] += 1
        try:
            yield None
        finally:
            self._service.refreshing[token] -= 1

    def _who(
        self, endpoint: str, realm_id: str | None, headers: Headers, body: bytes, scope: Scope
    ) -> dict[str, str | None]:
        if endpoint == "authorize":
            return self._visitor(scope, body)
        if endpoint in ("token", "revocation"):
            return self._app(endpoint, headers, body, scope)
        grant = grant_in(self._service, headers)
        return {
            "client_id": grant.client_id if grant else None,
            "user": grant.user_id if grant else None,
            "organisation": realm_id or (grant.realm_id if grant else None),
        }

    def _visitor(self, scope: Scope, body: bytes) -> dict[str, str | None]:
        form, query = form_of(body), Request(scope).query_params
        user = self._service.state.person(form.get("user", query.get("as", "")))
        return {
            "client_id": query.get("client_id"),
            "user": user.id if user else None,
            "organisation": form.get("company", query.get("realmId")),
        }

    def _app(self, endpoint: str, headers: Headers, body: bytes, scope: Scope) -> dict[str, str | None]:
        state, given = self._service.state, basic(headers)
        form = form_of(body) if endpoint == "token" else {}
        value = form.get("refresh_token", tokens.token_in(body) or "")
        owner: Code | Grant | None = state.codes.get(form.get("code", ""))
        owner = owner or state.holder(value) or state.grant_of(value)
        if form.get("grant_type") == "refresh_token":
            scope[_REFRESHED] = value
        return {
            "client_id": given[0] if given else None,
            "user": owner.user_id if owner else None,
            "organisation": owner.realm_id if owner else None,
            "grant_type": form.get("grant_type"),
        }


def _endpoint(path: str) -> str:
    if path.startswith(_COMPANY):
        first = path.removeprefix(_COMPANY).split("/")[1:2]
        return first[0] if first and first[0] in _BOOKS else "entity"
    return next((name for start, name in _ENDPOINTS.items() if path.startswith(start)), "other")


def _asked(scope: Scope, endpoint: str, body: bytes) -> str:
    """The query of the address; a statement that is posted stands there as if it had been asked for by GET."""
    if endpoint == "query" and scope["method"] == "POST":
        return urlencode({"query": body.decode("utf-8", "replace")})
    return str(scope["query_string"].decode("latin-1"))


def _tid() -> str:
    return f"1-{uuid4().hex[:8]}-{uuid4().hex[:24]}"
