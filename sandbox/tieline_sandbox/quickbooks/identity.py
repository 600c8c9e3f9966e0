"""Discovery, keys, and who the bearer of a token is."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tieline_sandbox.jwts import half_hash
from tieline_sandbox.quickbooks import faults
from tieline_sandbox.quickbooks.access import bearer_of
from tieline_sandbox.quickbooks.model import Grant, User
from tieline_sandbox.quickbooks.scopes import KNOWN
from tieline_sandbox.quickbooks.service import Service, service_of

_ID_TOKEN_LIFE = timedelta(hours=1)


async def configuration(request: Request) -> Response:
    service = service_of(request)
    base = service.base
    return JSONResponse(
        {
            "issuer": service.issuer,
            "authorization_endpoint": f"{base}/connect/oauth2",
            "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
            "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
            "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
            "jwks_uri": f"{service.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": sorted(KNOWN),
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
        }
    )


async def jwks(request: Request) -> Response:
    return JSONResponse(service_of(request).key.jwks())


async def userinfo(request: Request) -> Response:
    """The person behind an access token, as far as the scopes allow."""
    service = service_of(request)
    grant = bearer_of(service, request.headers)
    if isinstance(grant, Response):
        return grant
    if "openid" not in grant.scopes:
        return faults.not_for_this_company().response(403, service.now(), "lower")
    user = service.state.users[grant.user_id]
    claims: dict[str, Any] = {"sub": subject(user)}
    if "email" in grant.scopes:
        claims |= {"email": user.email, "emailVerified": True}
    if "profile" in grant.scopes:
        claims |= {"givenName": user.given_name, "familyName": user.family_name}
    return JSONResponse(claims)


def id_token(service: Service, grant: Grant, *, access_token: str, nonce: str | None) -> str:
    """Who signed in, and to which company, signed for the app."""
    issued = int(service.now().timestamp())
    claims: dict[str, Any] = {
        "iss": service.issuer,
        "sub": subject(service.state.users[grant.user_id]),
        "aud": [grant.client_id],
        "iat": issued,
        "exp": issued + int(_ID_TOKEN_LIFE.total_seconds()),
        "auth_time": int(grant.auth_time.timestamp()),
        "realmid": grant.realm_id,
        "at_hash": half_hash(access_token),
    }
    return service.key.sign(claims if nonce is None else claims | {"nonce": nonce})


def subject(user: User) -> str:
    """The `sub` of a person, the same for every app and company."""
    return hashlib.blake2b(user.id.encode(), digest_size=16).hexdigest()
