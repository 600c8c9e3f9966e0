"""JWTs, signed with the sandbox's own key, which all providers share."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

_ALGORITHM = "RS256"


def new_key() -> dict[str, str]:
    """A private key as a JWK."""
    key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": _ALGORITHM}, private=True, auto_kid=True)
    return {name: str(value) for name, value in key.as_dict(private=True).items()}


class SigningKey:
    """Signs claims, and reads what it signed."""

    def __init__(self, key: Mapping[str, str]) -> None:
        self._key = RSAKey.import_key(dict(key))

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": _ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims, whether or not they are still good; None for what another key signed."""
        try:
            return jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError):
            return None


def half_hash(token: str) -> str:
    """The `at_hash` of an access token."""
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
