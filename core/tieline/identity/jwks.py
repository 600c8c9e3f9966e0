"""The keys that an issuer publishes (RFC 7517): which of them may check a token, and which one a token means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from tieline.identity.reading import Unreadable

MAX_KEYS = 50

_RSA_BITS = range(2048, 4097)
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}

PublicKey: TypeAlias = RSAKey | ECKey


@dataclass(frozen=True, kw_only=True)
class IssuersKey:
    """One key of the set. `algorithms` is what it may check: its own where it names one, else what its type can."""

    id: str | None
    algorithms: tuple[str, ...]
    key: PublicKey


@dataclass(frozen=True, kw_only=True)
class KeySet:
    """The keys of one answer that can check tokens; the others in it are passed over."""

    keys: tuple[IssuersKey, ...]

    def knows(self, key_id: str | None) -> bool:
        """Whether a token of this key id can be decided by this set."""
        return key_id is None or any(key.id == key_id for key in self.keys)

    def find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        """The one key that is meant, None where none is or several are. Without an id the set must have one key."""
        if key_id is None:
            meant = list(self.keys) if len(self.keys) == 1 else []
        else:
            meant = [key for key in self.keys if key.id == key_id]
        fitting = [key.key for key in meant if algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 else None


def read_key_set(document: Mapping[str, Any]) -> KeySet:
    """The usable keys of a published set. Raises Unreadable where it is none, or has more than 50 keys."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise Unreadable
    read = (_read_key(entry) for entry in listed)
    return KeySet(keys=tuple(key for key in read if key is not None))


def _read_key(entry: object) -> IssuersKey | None:
    if not isinstance(entry, dict) or not _is_for_signatures(entry):
        return None
    kind, key_id, algorithm = entry.get("kty"), entry.get("kid"), entry.get("alg")
    if kind not in tuple(_PUBLIC) or not isinstance(key_id, str | None):
        return None
    if algorithm not in (None, *_ALGORITHMS[kind]):
        return None
    key = _public_key(kind, {"kty": kind, **{name: entry.get(name) for name in _PUBLIC[kind]}})
    if key is None:
        return None
    return IssuersKey(id=key_id, algorithms=(algorithm,) if algorithm else _ALGORITHMS[kind], key=key)


def _is_for_signatures(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _public_key(kind: str, members: dict[str, Any]) -> PublicKey | None:
    """The key of these members, which are public ones alone: what else a set gives away is not even read."""
    try:
        if kind == "RSA":
            return RSAKey.import_key(members) if _bits(members["n"]) in _RSA_BITS else None
        return ECKey.import_key(members) if members["crv"] == "P-256" else None
    except (JoseError, ValueError, TypeError):
        return None


def _bits(number: object) -> int:
    return base64_to_int(number).bit_length() if isinstance(number, str) else 0
