"""The hostile tokens that are honestly signed and say the wrong thing, and those of no form that a token has."""

from __future__ import annotations

from tests.identity.forgery import (
    LEFT_OUT,
    LONG_SUBJECT,
    Bench,
    Hostile,
    base64url,
    claim,
    fitted,
    hostile,
    in_parts,
)
from tests.support.issuer import AUDIENCE
from tieline.identity.tokens import MAX_TOKEN_CHARS


def _literally(bench: Bench, name: str, literal: str) -> str:
    """This claim, as text that Python's own writer would not make."""
    payload = bench.payload(**{name: "@"}).replace(b'"@"', literal.encode())
    return bench.saying(payload)


def _times(bench: Bench, text: str) -> str:
    return _literally(bench, "exp", text)


TIMES = [
    hostile("expired now", lambda b: b.claiming(exp=b.now), lambda b: b.claiming(exp=b.now + 1)),
    hostile("expired within what clocks may differ", lambda b: b.claiming(exp=b.now - 30)),
    hostile("no expiry", lambda b: b.claiming(exp=LEFT_OUT)),
    hostile("null as expiry", lambda b: b.claiming(exp=None)),
    hostile("text as expiry", lambda b: b.claiming(exp=str(b.now + 300))),
    hostile("true as expiry", lambda b: b.claiming(exp=True)),
    hostile("a list as expiry", lambda b: b.claiming(exp=[b.now + 300])),
    hostile("NaN as expiry", lambda b: _times(b, "NaN"), lambda b: _times(b, f"{b.now + 300}")),
    hostile("infinity as expiry", lambda b: _times(b, "Infinity"), lambda b: _times(b, f"{b.now + 300}.5")),
    hostile(
        "an expiry beyond all numbers", lambda b: _times(b, "1e999"), lambda b: _times(b, f"{b.now}.5e0")
    ),
    hostile("an expiry after all calendars", lambda b: _times(b, "9" * 40)),
    hostile("not yet good", lambda b: b.claiming(nbf=b.now + 61), lambda b: b.claiming(nbf=b.now + 60)),
    hostile("text as its beginning", lambda b: b.claiming(nbf=str(b.now))),
    hostile("of tomorrow", lambda b: b.claiming(iat=b.now + 61), lambda b: b.claiming(iat=b.now + 60)),
    hostile("made at no number", lambda b: b.claiming(iat="now"), lambda b: b.claiming(iat=LEFT_OUT)),
]

AUDIENCES = [
    hostile("for somebody else", lambda b: b.claiming(aud="https://other.example")),
    claim(
        "for several others",
        lambda b: b.claiming(aud=["https://a.example", "https://b.example"]),
        aud=["https://a.example", AUDIENCE],
    ),
    claim("for nobody", lambda b: b.claiming(aud=[]), aud=[AUDIENCE]),
    hostile("for an empty name", lambda b: b.claiming(aud="")),
    hostile("without an audience", lambda b: b.claiming(aud=LEFT_OUT)),
    hostile("for the beginning of our name", lambda b: b.claiming(aud=AUDIENCE[:-1])),
    hostile("for more than our name", lambda b: b.claiming(aud=f"{AUDIENCE}/")),
    hostile(
        "for our name among others in one text", lambda b: b.claiming(aud=f"https://a.example {AUDIENCE}")
    ),
    hostile("for an object", lambda b: b.claiming(aud={AUDIENCE: True})),
    claim("for us and a number", lambda b: b.claiming(aud=[AUDIENCE, 1]), aud=[AUDIENCE, "1"]),
]

ISSUERS = [
    hostile("of another issuer", lambda b: b.claiming(iss="https://evil.example")),
    hostile("of our issuer with a slash", lambda b: b.claiming(iss=f"{b.server.url}/")),
    hostile("of our issuer in other letters", lambda b: b.claiming(iss=b.server.url.upper())),
    hostile("of a neighbour at our issuer", lambda b: b.claiming(iss=f"{b.server.url}-2")),
    hostile("of several issuers", lambda b: b.claiming(iss=[b.server.url])),
    hostile("of no issuer", lambda b: b.claiming(iss=LEFT_OUT)),
]

SUBJECTS = [
    hostile("about nobody", lambda b: b.claiming(sub=LEFT_OUT)),
    hostile("about null", lambda b: b.claiming(sub=None)),
    hostile("about an empty name", lambda b: b.claiming(sub="")),
    hostile("about a number", lambda b: b.claiming(sub=7)),
    hostile("about somebody whom nobody invited", lambda b: b.claiming(sub="auth0|eve")),
    hostile("about somebody in other letters", lambda b: b.claiming(sub="AUTH0|ANN")),
    hostile("about a name with NUL", lambda b: b.claiming(sub="auth0|ann\x00")),
    hostile("about half of a character", lambda b: _literally(b, "sub", '"auth0|ann\\ud800"')),
    claim("about a name too long", lambda b: b.claiming(sub=f"{LONG_SUBJECT}a"), sub=LONG_SUBJECT),
]

PAYLOADS = [
    hostile(
        "two subjects",
        lambda b: b.saying(b.payload()[:-1] + b',"sub":"auth0|ann"}'),
        lambda b: b.saying(b.payload()[:-1] + b',"sub2":"auth0|ann"}'),
    ),
    hostile("claims in a list", lambda b: b.saying(b"[" + b.payload() + b"]")),
    hostile("claims in UTF-16", lambda b: b.saying(b.payload().decode().encode("utf-16"))),
    hostile(
        "claims with something behind them",
        lambda b: b.saying(b.payload() + b"{}"),
        lambda b: b.saying(b.payload() + b" "),
    ),
    hostile("claims that are no JSON", lambda b: b.saying(b"sub=auth0|ann")),
    hostile("claims that nest without end", lambda b: b.saying(b.payload()[:-1] + b',"x":' + b"[" * 5000)),
    hostile("a token in a token", lambda b: b.saying(b.good().encode())),
]

FORMS = [
    hostile("a detached payload", lambda b: in_parts(b.good(), lambda h, _, s: (h, "", s))),
    hostile(
        "five parts, as sealed tokens have", lambda b: in_parts(b.good(), lambda h, p, s: (h, p, p, p, s))
    ),
    hostile("two parts", lambda b: in_parts(b.good(), lambda h, p, _: (h, p))),
    hostile("a point at the end", lambda b: f"{b.good()}."),
    hostile("a space at the end", lambda b: f"{b.good()} "),
    hostile("a new line at the end", lambda b: f"{b.good()}\n"),
    hostile("signs of the other base64", lambda b: in_parts(b.good(), lambda h, p, s: (h, p, f"+/{s[2:]}"))),
    hostile(
        "a header that is no JSON", lambda b: in_parts(b.good(), lambda _, p, s: (base64url(b"RS256"), p, s))
    ),
    hostile(
        "a header that is a list",
        lambda b: in_parts(b.good(), lambda _, p, s: (base64url(b'["RS256"]'), p, s)),
    ),
    hostile(
        "more than eight thousand characters",
        lambda b: fitted(b, MAX_TOKEN_CHARS + 200),
        lambda b: fitted(b, MAX_TOKEN_CHARS),
    ),
    hostile("a megabyte", lambda b: f"{'A' * 1_000_000}.{b.good()}"),
    hostile(
        "a header of many kilobytes", lambda b: b.headed(pad="x" * 3_000), lambda b: b.headed(pad="x" * 1_000)
    ),
]

HOSTILE_CLAIMS: list[Hostile] = [*TIMES, *AUDIENCES, *ISSUERS, *SUBJECTS, *PAYLOADS, *FORMS]
