"""API keys: made here, shown once, recognised by their hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from tieline.vault import Secret

_FORM = re.compile(r"tl_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}")
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshKey:
    """A key just made: the secret is shown once, prefix and hash are kept."""

    secret: Secret
    prefix: str
    hash: bytes


def make_key() -> FreshKey:
    prefix = "tl_" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return FreshKey(secret=Secret(text), prefix=prefix, hash=hash_key(text))


def hash_key(text: str) -> bytes:
    """SHA-256: the key holds 256 random bits, so a slow hash would protect nothing."""
    return hashlib.sha256(text.encode()).digest()


def is_key(text: str) -> bool:
    """Whether a bearer token has the form of our keys."""
    return _FORM.fullmatch(text) is not None
