"""Discovery, keys, and who the bearer of a token is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tieline_sandbox.xero.access import bearer_of
from tieline_sandbox.xero.problems import AUTHORIZATION, unauthorized
from tieline_sandbox.xero.scopes import GRANULAR
from tieline_sandbox.xero.service import service_of
from tieline_sandbox.xero.signing import person_claims


async def configuration(request: Request) -> Response:
    base = service_of(request).signer.issuer
    return JSONResponse(
        {
            "issuer": base,
            "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
            "authorization_endpoint": f"{base}/identity/connect/authorize",
            "token_endpoint": f"{base}/connect/token",
            "userinfo_endpoint": f"{base}/connect/userinfo",
            "revocation_endpoint": f"{base}/connect/revocation",
            "scopes_supported": sorted(GRANULAR),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": [
                *("sub", "name", "given_name", "family_name", "preferred_username", "email", "xero_userid"),
            ],
        }
    )


async def jwks(request: Request) -> Response:
    return JSONResponse(service_of(request).signer.jwks())


async def userinfo(request: Request) -> Response:
    bearer = bearer_of(service_of(request), request.headers)
    if isinstance(bearer, Response):
        return bearer
    scopes = bearer.session.scopes
    return (
        JSONResponse(person_claims(bearer.user, scopes))
        if "openid" in scopes
        else unauthorized(AUTHORIZATION)
    )
