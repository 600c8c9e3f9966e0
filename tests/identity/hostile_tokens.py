"""The hostile tokens, by what they try: headers and signatures here, claims and forms in `hostile_claims`."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from tests.identity.forgery import (
    LEFT_OUT,
    Bench,
    Hostile,
    base64url,
    compact,
    hostile,
    in_parts,
    raised_tail,
    unsigned,
)
from tests.support.issuer import ec_key, published, rsa_key, signature_of

_FIRST, _ATTACKER = rsa_key("first"), rsa_key("attacker")


def _keyed_by(bench: Bench, secret: bytes, algorithm: str = "HS256", **header: Any) -> str:
    """An HMAC whose secret is something that everybody knows."""
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return compact(
        bench.header(alg=algorithm, **header),
        bench.payload(),
        lambda message: hmac.new(secret, message, digest).digest(),
    )


def _as_jwk() -> bytes:
    return json.dumps(published(_FIRST, "first", alg="RS256", use="sig")).encode()


def _from_attacker(bench: Bench, **header: Any) -> str:
    return bench.signed(_ATTACKER, "RS256", **header)


def _unencoded(bench: Bench) -> str:
    """RFC 7797: the payload stands there as it is."""
    header = base64url(bench.header(b64=False, crit=["b64"]))
    payload = base64url(bench.payload())  # of characters that may stand in the open
    signature = signature_of(_FIRST, "RS256")(f"{header}.{payload}".encode())
    return f"{header}.{payload}.{base64url(signature)}"


def _der_signature(message: bytes) -> bytes:
    private: Any = ec_key("curve").private_key
    signature: bytes = private.sign(message, ECDSA(hashes.SHA256()))
    return signature


def _on_curve(bench: Bench) -> bytes:
    return bench.header(alg="ES256", kid="curve")


NONE = [
    hostile("none, without a signature", lambda b: unsigned(b, "none", b"")),
    hostile("none, with a signature of nonsense", lambda b: unsigned(b, "none", b"nonsense")),
    hostile("None", lambda b: unsigned(b, "None", b"x")),
    hostile("NONE", lambda b: unsigned(b, "NONE", b"x")),
    hostile("none, over a good signature", lambda b: b.headed(alg="none")),
]

CONFUSED = [
    hostile("HS256 with the public key as PEM", lambda b: _keyed_by(b, _FIRST.as_pem())),
    hostile("HS256 with the public key as DER", lambda b: _keyed_by(b, _FIRST.as_der())),
    hostile("HS256 with the public key as JWK", lambda b: _keyed_by(b, _as_jwk())),
    hostile("HS512 with the public key as PEM", lambda b: _keyed_by(b, _FIRST.as_pem(), "HS512")),
    hostile("HS256 with no secret at all", lambda b: _keyed_by(b, b"", kid=LEFT_OUT)),
    hostile("RS256 over a key of a curve", lambda b: b.signed(_FIRST, "RS256", kid="curve"), Bench.curve),
    hostile(
        "ES256 over a key of RSA", lambda b: b.signed(ec_key("curve"), "ES256", kid="first"), Bench.curve
    ),
    hostile(
        "ES256 by a key of P-384",
        lambda b: compact(
            b.header(alg="ES256", kid="longer"), b.payload(), signature_of(ec_key("longer", "P-384"), "ES384")
        ),
        Bench.curve,
    ),
    hostile(
        "ES384, which is not taken",
        lambda b: b.signed(ec_key("longer", "P-384"), "ES384", kid="longer"),
        Bench.curve,
    ),
    hostile(
        "RS512, which is not taken",
        lambda b: b.signed(rsa_key("any"), "RS512", kid="any"),
        lambda b: b.signed(rsa_key("any"), "RS256", kid="any"),
    ),
    hostile(
        "PS256 by a key that is for RS256",
        lambda b: b.signed(_FIRST, "PS256"),
        lambda b: b.signed(rsa_key("any"), "PS256", kid="any"),
    ),
    hostile("an algorithm in other letters", lambda b: b.headed(alg="rs256")),
    hostile("an algorithm that nobody knows", lambda b: b.headed(alg="XX256")),
    hostile("no algorithm", lambda b: b.headed(alg=LEFT_OUT)),
    hostile("a number as algorithm", lambda b: b.headed(alg=256)),
    hostile("a list of algorithms", lambda b: b.headed(alg=["RS256"])),
]

OTHER_KEYS = [
    hostile(
        "the attacker's key in the header",
        lambda b: _from_attacker(b, jwk=published(_ATTACKER, "first")),
    ),
    hostile(
        "the attacker's key in the header, and its id",
        lambda b: _from_attacker(b, kid="mine", jwk=published(_ATTACKER, "mine")),
    ),
    hostile("the issuer's own key in the header", lambda b: b.headed(jwk=published(_FIRST, "first"))),
    hostile("an address of keys", lambda b: _from_attacker(b, jku=f"{b.server.url}/elsewhere")),
    hostile("the issuer's own address of keys", lambda b: b.headed(jku=f"{b.server.url}/keys")),
    hostile("an address of a certificate", lambda b: b.headed(x5u="https://evil.example/chain.pem")),
    hostile("a chain of certificates", lambda b: b.headed(x5c=["MIIB"]), lambda b: b.headed(x5t="MIIB")),
    hostile("the attacker's signature under the issuer's key id", _from_attacker),
    hostile("a key that was rotated out", lambda b: b.signed(rsa_key("before"), "RS256", kid="before")),
    hostile(
        "a key that is for sealing",
        lambda b: b.signed(rsa_key("sealing"), "RS256", kid="sealing"),
        lambda b: b.signed(rsa_key("any"), "RS256", kid="any"),
    ),
    hostile("another key's id", lambda b: b.headed(kid="any")),
    hostile("a key id that is a path", lambda b: b.headed(kid="../../../../dev/null")),
    hostile("a key id that is SQL", lambda b: b.headed(kid="first' OR '1'='1")),
    hostile("a key id with NUL", lambda b: b.headed(kid="first\x00")),
    hostile("a number as key id", lambda b: b.headed(kid=1)),
    hostile("null as key id", lambda b: b.headed(kid=None)),
    hostile("no key id where there are several keys", lambda b: b.headed(kid=LEFT_OUT)),
    hostile(
        "two key ids",
        lambda b: compact(
            b'{"alg":"RS256","kid":"mine","kid":"first"}', b.payload(), signature_of(_FIRST, "RS256")
        ),
        lambda b: compact(b'{"alg":"RS256","kid":"first"}', b.payload(), signature_of(_FIRST, "RS256")),
    ),
    hostile(
        "two algorithms",
        lambda b: compact(
            b'{"alg":"none","kid":"first","alg":"RS256"}', b.payload(), signature_of(_FIRST, "RS256")
        ),
        lambda b: compact(b'{"alg":"RS256","kid":"first"}', b.payload(), signature_of(_FIRST, "RS256")),
    ),
]

CRITICAL = [
    hostile(
        "something critical that nobody knows",
        lambda b: b.headed(crit=["https://evil.example/x"], **{"https://evil.example/x": True}),
        lambda b: b.headed(**{"https://evil.example/x": True}),
    ),
    hostile("nothing critical", lambda b: b.headed(crit=[])),
    hostile("critical, and not a list", lambda b: b.headed(crit=7)),
    hostile("a usual header as critical", lambda b: b.headed(crit=["alg"])),
    hostile("b64 as critical, and true", lambda b: b.headed(crit=["b64"], b64=True)),
    hostile("b64 true by itself", lambda b: b.headed(b64=True)),
    hostile("a payload that is not encoded", _unencoded),
]

TYPES = [
    hostile("the token of a logout", lambda b: b.headed(typ="logout+jwt"), lambda b: b.headed(typ="JWT")),
    hostile(
        "the token of a security event",
        lambda b: b.headed(typ="secevent+jwt"),
        lambda b: b.headed(typ=LEFT_OUT),
    ),
    hostile("a number as type", lambda b: b.headed(typ=1), lambda b: b.headed(typ="application/at+jwt")),
]

SIGNATURES = [
    hostile("a signature that lost a byte", lambda b: b.with_signature(lambda s: s[:-4])),
    hostile("no signature", lambda b: b.with_signature(lambda _: "")),
    hostile(
        "a signature with a bit flipped",
        lambda b: b.with_signature(lambda s: ("B" if s[0] == "A" else "A") + s[1:]),
    ),
    hostile(
        "the signature of another token",
        lambda b: b.with_signature(lambda _: b.claiming(jti="2").rpartition(".")[2]),
    ),
    hostile("a signature in another spelling", lambda b: b.with_signature(raised_tail)),
    hostile("a padded signature", lambda b: f"{b.good()}=="),
    hostile(
        "a payload that was exchanged",
        lambda b: in_parts(b.good(), lambda h, _, s: (h, base64url(b.payload(sub="auth0|admin")), s)),
    ),
    hostile(
        "a header that was exchanged",
        lambda b: in_parts(b.good(), lambda _, p, s: (base64url(b.header(typ="JWT")), p, s)),
        lambda b: b.headed(typ="JWT"),
    ),
    hostile(
        "a curve's signature of nothing but zeros",
        lambda b: compact(_on_curve(b), b.payload(), lambda _: bytes(64)),
        Bench.curve,
    ),
    hostile(
        "a curve's signature in DER",
        lambda b: compact(_on_curve(b), b.payload(), _der_signature),
        Bench.curve,
    ),
]

HOSTILE_HEADERS: list[Hostile] = [*NONE, *CONFUSED, *OTHER_KEYS, *CRITICAL, *TYPES, *SIGNATURES]
