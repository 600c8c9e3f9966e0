"""What a token has to be before it is believed: its form, its header, its signature and its claims.

Nothing in a token says how it is to be checked. The algorithms are fixed here, the keys are the issuer's own, and
a header that brings or points to a key, or asks for more than is understood here, is refused (RFC 8725).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from tieline.identity.jwks import PublicKey
from tieline.identity.reading import Unreadable, read_object

MAX_TOKEN_CHARS = 8_192
MAX_SUBJECT_CHARS = 255
ALGORITHMS = ("RS256", "PS256", "ES256")

_SKEW_SECONDS = 60  # between the issuer's clock and ours; a token that has expired has no such grace
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_UNSAFE = re.compile("[\x00\ud800-\udfff]")  # what PostgreSQL or UTF-8 cannot carry
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REFUSED_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64"})


class TokenRefused(Exception):
    """Why a token is not believed, in a word or two for the log; a caller is never told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What a token says about how it was signed."""

    algorithm: str
    key_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Somebody whom the issuer vouches for. `email_verified` is None where the token does not say."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool | None
    expires_at: datetime


class _Registry(JWSRegistry):
    max_header_length = 2_048  # of base64url: issuers put thumbprints and long ids of keys there


_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


def read_head(token: str) -> Head:
    """The header of a compact JWS, nothing of it checked by a key yet. Raises TokenRefused."""
    if len(token) > MAX_TOKEN_CHARS:
        raise TokenRefused("too long")
    if not _FORM.fullmatch(token):
        raise TokenRefused("not of three parts")
    try:
        header = read_object(urlsafe_b64decode(token.partition(".")[0].encode()))
    except ValueError:
        raise TokenRefused("the header cannot be read") from None
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in ALGORITHMS:
        raise TokenRefused("the algorithm")
    if not _REFUSED_HEADERS.isdisjoint(header):
        raise TokenRefused("a header that is not taken")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("the type")
    if "kid" in header and not isinstance(key_id, str):
        raise TokenRefused("the key's id")
    return Head(algorithm=algorithm, key_id=key_id)


def verified_claims(token: str, key: PublicKey | None) -> dict[str, Any]:
    """What was signed with this key; no claim is looked at yet. Raises TokenRefused."""
    if key is None:
        raise TokenRefused("no such key")
    try:
        return read_object(deserialize_compact(token, key, registry=_REGISTRY).payload or b"")
    except Unreadable:
        raise TokenRefused("the claims cannot be read") from None
    except (JoseError, ValueError):
        raise TokenRefused("the signature") from None


def check_claims(claims: dict[str, Any], *, issuer: str, audience: str, at: datetime) -> Identity:
    """Who the claims are about, if they were made by this issuer, for us, for now. Raises TokenRefused."""
    now = int(at.timestamp())
    dates: dict[str, Any] = {name: claims[name] for name in ("nbf", "iat") if name in claims}
    others = {name: value for name, value in claims.items() if name not in dates}
    rules = JWTClaimsRegistry(
        now=now,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        rules.validate(others)
        JWTClaimsRegistry(now=now, leeway=_SKEW_SECONDS).validate(dates)
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    except JoseError as error:
        raise TokenRefused(str(error)) from None
    except (ValueError, OverflowError, OSError):
        raise TokenRefused("exp is no date") from None
    subject = claims["sub"]
    if len(subject) > MAX_SUBJECT_CHARS or _UNSAFE.search(subject):
        raise TokenRefused("sub does not fit")
    email, verified = claims.get("email"), claims.get("email_verified")
    return Identity(
        issuer=issuer,
        subject=subject,
        email=email if isinstance(email, str) else None,
        email_verified=verified if isinstance(verified, bool) else None,
        expires_at=expires_at,
    )
