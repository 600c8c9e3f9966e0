"""Who consented, read from the claims of Xero's tokens.

Their signatures are not checked: the tokens came from Xero's token endpoint over TLS, in answer to our own
request, and go nowhere else (OpenID Connect Core, 3.1.3.7, point 6).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from tieline.errors import ProviderBroken
from tieline.plugins import Grant, Subject

_ID = re.compile(r"[0-9A-Za-z._:-]{1,128}")
_MAX_LOGIN = 320
_LOGIN_CLAIMS = ("email", "preferred_username", "name")


def subject_of(grant: Grant, *, provider: str) -> Subject:
    """The Xero user, and the mark of this consent. Raises ProviderBroken when the access token names no user."""
    claims = _claims(grant.tokens.access.reveal())
    if claims is None:
        raise ProviderBroken(provider, "the access token is no JWT")
    user = _id(claims, "xero_userid")
    if user is None:
        raise ProviderBroken(provider, "the access token names no Xero user")
    return Subject(id=user, login=_login(grant), consent=_id(claims, "authentication_event_id"))


def _login(grant: Grant) -> str | None:
    """Only a name for people to see, so an id token that is not readable costs nothing else."""
    token = grant.tokens.id_token
    claims = (_claims(token.reveal()) if token is not None else None) or {}
    named = (claims.get(claim) for claim in _LOGIN_CLAIMS)
    tidy = (" ".join(name.split()) for name in named if isinstance(name, str))
    return next((name for name in tidy if name and name.isprintable() and len(name) <= _MAX_LOGIN), None)


def _id(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _claims(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None
