"""What an invitation is accepted with: 256 random bits, of which only a hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets

from tieline.vault import Secret

_FORM = re.compile(r"tli_[A-Za-z0-9_-]{43}")


def new_token() -> Secret:
    return Secret(f"tli_{secrets.token_urlsafe(32)}")


def is_token(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def hash_of(token: str) -> bytes:
    """SHA-256: the token holds 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
