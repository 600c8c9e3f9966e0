"""Tokens as an attacker would make them, each next to one that differs in the fault alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.issuer import (
    LEFT_OUT,
    IssuerServer,
    as_json,
    base64url,
    compact,
    ec_key,
    rsa_key,
    signature_of,
)

SUBJECT = "auth0|ann"
LONG_SUBJECT = "a" * 255


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where tokens are made: `at` is now."""

    server: IssuerServer
    at: datetime

    @property
    def now(self) -> int:
        return int(self.at.timestamp())

    def header(self, **changed: Any) -> bytes:
        return as_json({"alg": "RS256", "kid": "first", "typ": "at+jwt"} | changed)

    def payload(self, **changed: Any) -> bytes:
        return as_json(self.server.claims(SUBJECT, at=self.at, **changed))

    def good(self) -> str:
        return compact(self.header(), self.payload(), signature_of(rsa_key("first"), "RS256"))

    def claiming(self, **changed: Any) -> str:
        """Honestly signed, with these claims."""
        return compact(self.header(), self.payload(**changed), signature_of(rsa_key("first"), "RS256"))

    def saying(self, payload: bytes) -> str:
        """Honestly signed, whatever it is."""
        return compact(self.header(), payload, signature_of(rsa_key("first"), "RS256"))

    def headed(self, **changed: Any) -> str:
        """Signed by the key `first`, with these members in the header."""
        return compact(self.header(**changed), self.payload(), signature_of(rsa_key("first"), "RS256"))

    def signed(self, key: Any, algorithm: str, **changed: Any) -> str:
        """By this key, as the header says, unless it is told to say something else."""
        header = self.header(**({"alg": algorithm} | changed))
        return compact(header, self.payload(), signature_of(key, algorithm))

    def curve(self) -> str:
        """A good one of the other kind of key."""
        return self.signed(ec_key("curve"), "ES256", kid="curve")

    def with_signature(self, change: Callable[[str], str]) -> str:
        message, _, signature = self.good().rpartition(".")
        return f"{message}.{change(signature)}"


Made = Callable[[Bench], str]


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A token that is refused, and its twin that is taken."""

    name: str
    bad: Made
    twin: Made


def hostile(name: str, bad: Made, twin: Made = Bench.good) -> Hostile:
    return Hostile(name=name, bad=bad, twin=twin)


def claim(name: str, bad: Made, **twin: Any) -> Hostile:
    return Hostile(name=name, bad=bad, twin=lambda bench: bench.claiming(**twin))


def unsigned(bench: Bench, algorithm: str, signature: bytes) -> str:
    return compact(bench.header(alg=algorithm), bench.payload(), lambda _: signature)


def in_parts(token: str, change: Callable[[str, str, str], tuple[str, ...]]) -> str:
    header, payload, signature = token.split(".")
    return ".".join(change(header, payload, signature))


def raised_tail(part: str) -> str:
    """The same bytes in another spelling: the last character's unused bits are set. `part` ends in 2 or 4 of them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4 in {2, 3}
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


def numbers(count: int) -> str:
    return "x" * count


def fitted(bench: Bench, size: int) -> str:
    """A good token of exactly this many characters, or a few less."""
    spare = size - len(bench.claiming(pad=""))
    return bench.claiming(pad=numbers(spare * 3 // 4))


__all__ = [
    "LEFT_OUT",
    "LONG_SUBJECT",
    "SUBJECT",
    "Bench",
    "Hostile",
    "base64url",
    "claim",
    "compact",
    "fitted",
    "hostile",
    "in_parts",
    "raised_tail",
    "unsigned",
]
