"""The JWTs: access tokens and id tokens, signed with the sandbox's own key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

from tieline_sandbox.jwts import SigningKey, half_hash
from tieline_sandbox.xero.grants import ACCESS_TOKEN_LIFE, ID_TOKEN_LIFE
from tieline_sandbox.xero.model import Session, User


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What an access token says, whether or not it is still good."""

    session_id: str
    client_id: str
    user_id: str
    scopes: frozenset[str]
    expires_at: datetime


class Signer:
    """Makes tokens of one issuer and reads its own."""

    def __init__(self, key: SigningKey, issuer: str) -> None:
        self._key = key
        self.issuer = issuer
        self.read = lru_cache(maxsize=10_000)(self._read)

    def jwks(self) -> dict[str, Any]:
        return self._key.jwks()

    def access_token(self, session: Session, now: datetime) -> str:
        issued = int(now.timestamp())
        return self._key.sign(
            {
                "iss": self.issuer,
                "aud": f"{self.issuer}/resources",
                "nbf": issued,
                "iat": issued,
                "exp": issued + int(ACCESS_TOKEN_LIFE.total_seconds()),
                "client_id": session.client_id,
                "sub": subject(session.user_id),
                "auth_time": int(session.auth_time.timestamp()),
                "xero_userid": session.user_id,
                "global_session_id": session.id,
                "authentication_event_id": session.auth_event_id,
                "scope": sorted(session.scopes),
                "jti": uuid4().hex,
                "sid": session.id.replace("-", ""),
            }
        )

    def id_token(
        self, session: Session, user: User, *, access_token: str, nonce: str | None, now: datetime
    ) -> str:
        issued = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": session.client_id,
            "nbf": issued,
            "iat": issued,
            "exp": issued + int(ID_TOKEN_LIFE.total_seconds()),
            "auth_time": int(session.auth_time.timestamp()),
            "at_hash": half_hash(access_token),
            "sid": session.id.replace("-", ""),
            "global_session_id": session.id,
        }
        if nonce is not None:
            claims["nonce"] = nonce
        return self._key.sign(claims | person_claims(user, session.scopes))

    def _read(self, token: str) -> Claims | None:
        """None for what this signer did not sign as an access token."""
        claims = self._key.read(token)
        if claims is None or claims.get("aud") != f"{self.issuer}/resources":
            return None
        return Claims(
            session_id=claims["global_session_id"],
            client_id=claims["client_id"],
            user_id=claims["xero_userid"],
            scopes=frozenset(claims["scope"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )


def subject(user_id: str) -> str:
    """The `sub` of a person; it is not the `xero_userid`."""
    return hashlib.blake2b(user_id.encode(), digest_size=16).hexdigest()


def person_claims(user: User, scopes: frozenset[str]) -> dict[str, Any]:
    """What an id token or the userinfo endpoint says of a person, as far as the scopes allow."""
    claims = {"sub": subject(user.id)}
    if "profile" in scopes:
        name = f"{user.given_name} {user.family_name}"
        claims |= {"given_name": user.given_name, "family_name": user.family_name, "name": name}
        claims |= {"preferred_username": user.email, "xero_userid": user.id}
    if "email" in scopes:
        claims |= {"email": user.email, "xero_userid": user.id}
    return claims
