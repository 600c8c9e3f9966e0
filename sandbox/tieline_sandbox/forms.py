"""Form bodies, client credentials and proofs of possession, as OAuth endpoints take them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl, unquote_plus


class _App(Protocol):
    @property
    def secret(self) -> str: ...


A = TypeVar("A", bound=_App)


def form_of(body: bytes) -> dict[str, str]:
    """The fields, the last one of each name."""
    return dict(fields_of(body))


def fields_of(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Client id and secret by Basic authentication; None for what cannot be read."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def authenticated(apps: Mapping[str, A], given: tuple[str, str] | None) -> A | None:
    """The app whose secret the caller knows."""
    app = apps.get(given[0]) if given else None
    if app is None or given is None or not secrets.compare_digest(app.secret.encode(), given[1].encode()):
        return None
    return app


def proves(verifier: str | None, challenge: str | None) -> bool:
    """Whether the verifier is the one whose SHA-256 came with the question; without a challenge anything is."""
    if challenge is None:
        return True
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return secrets.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)
