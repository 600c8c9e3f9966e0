"""Who may call what: the bearer token, the company that it is for, the rights of its person there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from tieline_sandbox.quickbooks import faults
from tieline_sandbox.quickbooks.model import Company, Grant
from tieline_sandbox.quickbooks.scopes import ACCOUNTING
from tieline_sandbox.quickbooks.service import Service


@dataclass(frozen=True, kw_only=True)
class Access:
    """A grant inside its company."""

    grant: Grant
    company: Company


def grant_in(service: Service, headers: Mapping[str, str]) -> Grant | None:
    """The grant that the token was given out for, even if neither is good any more."""
    return service.state.grant_of(_token(headers))


def bearer_of(service: Service, headers: Mapping[str, str]) -> Grant | Response:
    """The caller, or the answer that the caller gets: in the gateway's envelope."""
    now, token = service.now(), service.state.access_tokens.get(_token(headers))
    if token is None:
        return faults.token_expired("Malformed bearer token").response(401, now, "lower")
    if now >= token.expires_at:
        return faults.token_expired("Token expired").response(401, now, "lower")
    grant = service.state.grants.get(token.grant_id)
    if grant is None or not grant.is_live:
        return faults.not_for_this_company().response(403, now, "lower")
    return grant


def access_of(service: Service, headers: Mapping[str, str], realm_id: str) -> Access | Response:
    """The caller in the company of the address, or the refusal."""
    grant, now = bearer_of(service, headers), service.now()
    if isinstance(grant, Response):
        return grant
    company = service.state.companies.get(realm_id)
    if company is None or grant.realm_id != realm_id or ACCOUNTING not in grant.scopes:
        return faults.not_for_this_company().response(403, now, "lower")
    if realm_id not in service.state.users[grant.user_id].companies:
        return faults.no_access().response(401, now)
    if company.suspended:
        return faults.suspended().response(400, now)
    return Access(grant=grant, company=company)


def _token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
