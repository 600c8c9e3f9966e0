"""From what a caller sends to who it is: API keys, of which only the hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from tieline import clock
from tieline.database import system_scope
from tieline.errors import Unauthenticated
from tieline.practices.repository import principal_of_key
from tieline.principal import Principal
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


async def authenticate(token: str | None) -> Principal:
    """Who calls with this bearer token. Raises Unauthenticated, in the same words whatever is wrong with it."""
    if token is None or not _FORM.fullmatch(token):
        raise Unauthenticated
    async with system_scope():
        principal = await principal_of_key(hash_key(token), at=clock.now())
    if principal is None:
        raise Unauthenticated
    return principal
