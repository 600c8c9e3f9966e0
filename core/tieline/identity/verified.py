"""Tokens whose signatures were checked: one that comes again, or stays on a socket, is not checked by its key again."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Any

from tieline.identity.jwks import PublicKey
from tieline.identity.tokens import verified_claims

MOST = 20_000
"""More than a process has places (10,000): what goes round all sockets in one order would find none of fewer kept."""


class Verified:
    """The latest of them, by their digests; what a claim says of now is for whoever asks to check."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[bytes, tuple[PublicKey | None, dict[str, Any]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def claims(self, token: str, key: PublicKey | None) -> dict[str, Any]:
        """As `verified_claims`. A key that was fetched anew is another key. Raises TokenRefused."""
        digest = sha256(token.encode()).digest()
        known = self._known.pop(digest, None)
        if known is None or known[0] is not key:
            known = key, verified_claims(token, key)
        self._known[digest] = known
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return known[1]
