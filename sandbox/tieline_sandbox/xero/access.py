"""Who may call what: the bearer token, the tenant it names, the scope the endpoint wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from tieline_sandbox.xero import problems
from tieline_sandbox.xero.model import Organisation, Session, User, connection_key
from tieline_sandbox.xero.scopes import ENDPOINT_SCOPES, allows_reading
from tieline_sandbox.xero.service import Service
from tieline_sandbox.xero.signing import Claims


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """A person's app, with a token that is good now."""

    session: Session
    user: User


@dataclass(frozen=True, kw_only=True)
class Access:
    """A bearer inside an organisation."""

    bearer: Bearer
    organisation: Organisation


def claims_of(service: Service, headers: Mapping[str, str]) -> Claims | None:
    """What the token says, even if it is not good any more."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return service.signer.read(token.strip()) if scheme.lower() == "bearer" else None


def bearer_of(service: Service, headers: Mapping[str, str]) -> Bearer | Response:
    """The caller, or the 401 that the caller gets."""
    claims = claims_of(service, headers)
    if claims is None:
        return problems.unauthorized(problems.AUTHENTICATION)
    if service.now() >= claims.expires_at:
        return problems.unauthorized(problems.token_expired(claims.expires_at))
    session = service.state.sessions.get(claims.session_id)
    user = service.state.users.get(claims.user_id)
    if session is None or user is None:
        return problems.unauthorized(problems.AUTHENTICATION)
    return Bearer(session=session, user=user)


def access_of(service: Service, headers: Mapping[str, str], resource: str) -> Access | Response:
    """The caller in the organisation that the header names, or the refusal."""
    bearer = bearer_of(service, headers)
    if isinstance(bearer, Response):
        return bearer
    if resource not in ENDPOINT_SCOPES:
        return problems.not_found()
    if not allows_reading(bearer.session.scopes, resource):
        return problems.unauthorized(problems.AUTHORIZATION)
    tenant_id = headers.get("xero-tenant-id", "").lower()
    organisation = service.state.organisations.get(tenant_id)
    key = connection_key(bearer.session.client_id, bearer.user.id, tenant_id)
    connection = service.state.connections.get(key)
    if organisation is None or connection is None or not connection.is_connected:
        return problems.forbidden()
    return (
        Access(bearer=bearer, organisation=organisation)
        if _may(bearer.user, organisation)
        else problems.forbidden()
    )


def _may(user: User, organisation: Organisation) -> bool:
    return organisation.tenant_id in user.organisations and organisation.tenant_type == "ORGANISATION"
