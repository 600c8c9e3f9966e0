"""Secrets at rest: AES-256-GCM, several keys alive at once, each ciphertext bound to its own place.

    sealed  =  version (1 byte) | key id length (1) | key id | nonce (12) | ciphertext and tag

The place (practice, table, row, column) is authenticated with the ciphertext, so one that was moved elsewhere
does not open. The first key of the ring seals; all of them open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tieline.errors import StartRefused, TielineError

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


class SealBroken(TielineError):
    """The ciphertext was changed, moved, or sealed with a key that is no longer in the ring."""

    code = "SEAL_BROKEN"


class Secret:
    """A value that never prints itself; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a sealed value lives; a copy of it anywhere else does not open."""

    practice_id: UUID
    table: str
    row_id: UUID
    column: str

    def bytes(self) -> bytes:
        return "\x1f".join((str(self.practice_id), self.table, str(self.row_id), self.column)).encode()


@dataclass(frozen=True)
class Vault:
    """Seals and opens secrets with a ring of keys: `{key id: 32 bytes}`, the first one seals."""

    keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def from_text(cls, text: str) -> Vault:
        """Read `id:base64,id:base64…`, as `TIELINE_ENCRYPTION_KEYS` holds it. Raises StartRefused."""
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            key_id, _, encoded = entry.partition(":")
            keys[key_id] = _key(key_id, encoded, known=keys)
        if not keys:
            raise StartRefused(
                "There is no encryption key",
                "set TIELINE_ENCRYPTION_KEYS to what 'tieline keys generate' prints",
            )
        return cls(keys)

    def seal(self, secret: Secret, place: Place) -> bytes:
        key_id = next(iter(self.keys))
        head = bytes([_VERSION, len(key_id)]) + key_id.encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[key_id]).encrypt(nonce, secret.reveal().encode(), head + place.bytes())
        return head + nonce + sealed

    def open(self, sealed: bytes, place: Place) -> Secret:
        """Raises SealBroken."""
        split = 2 + sealed[1] if len(sealed) > 1 else 0
        head, rest = sealed[:split], sealed[split:]
        key = self.keys.get(self.key_id(sealed))
        if key is None or head[0] != _VERSION:
            raise SealBroken("This secret was sealed with a key that is not in TIELINE_ENCRYPTION_KEYS.")
        try:
            opened = AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + place.bytes())
        except (InvalidTag, ValueError) as broken:
            raise SealBroken("This secret was changed or moved since it was sealed.") from broken
        return Secret(opened.decode())

    @staticmethod
    def key_id(sealed: bytes) -> str:
        """Which key a value was sealed with; empty when the bytes are not a seal at all."""
        length = sealed[1] if len(sealed) > 1 else 0
        return sealed[2 : 2 + length].decode("ascii", "replace")


def generate_key(key_id: str) -> str:
    """A fresh entry for the ring: `id:base64`."""
    return f"{key_id}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def _key(key_id: str, encoded: str, *, known: dict[str, bytes]) -> bytes:
    if not _KEY_ID.fullmatch(key_id) or key_id in known:
        raise StartRefused(
            "TIELINE_ENCRYPTION_KEYS has an entry that is not 'id:base64', or an id twice",
            "have ids of letters, digits, '.', '_' or '-', each once; 'tieline keys generate' prints an entry",
        )
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise StartRefused(
            f"The key {key_id!r} in TIELINE_ENCRYPTION_KEYS is not 32 bytes in base64",
            "use 'tieline keys generate'",
        )
    return key
