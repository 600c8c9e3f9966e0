"""An issuer of tokens on loopback, with keys of its own, that answers as a test wants it to; and a forger's bench.

issuer ── publish(...)   the keys it says it has
       ── token(...)     one as an honest issuer makes it, or with parts put in and left out
compact ── any header, any payload, any signature: what an honest library does not make
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import uvicorn
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

AUDIENCE = "https://api.tieline.example"
KNOWN_AS = "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1"
"""What makes a person known to us by an issuer and a subject, without an invitation."""
LEFT_OUT = object()

SigningKey = RSAKey | ECKey


@cache
def rsa_key(name: str) -> RSAKey:
    """The same key for the same name, for all tests of a process: making one takes its time."""
    assert name
    return RSAKey.generate_key(2048)


@cache
def ec_key(name: str, curve: str = "P-256") -> ECKey:
    assert name
    return ECKey.generate_key(curve)


def published(key: SigningKey, key_id: str | None, **more: str) -> dict[str, Any]:
    """The public half, as it stands in a key set."""
    members: dict[str, Any] = dict(key.as_dict(private=False))
    return {**members, **({"kid": key_id} if key_id is not None else {"kid": None}), **more}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(members: Mapping[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in members.items() if value is not LEFT_OUT}).encode()


def signature_of(key: Any, algorithm: str) -> Callable[[bytes], bytes]:
    """How this key signs by this algorithm, whether or not it should."""
    model = JWSRegistry.algorithms[algorithm]
    return lambda message: model.sign(message, key)


def compact(header: bytes, payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Three parts of base64url with these bytes in them."""
    message = f"{base64url(header)}.{base64url(payload)}"
    return f"{message}.{base64url(sign(message.encode()))}"


@dataclass
class IssuerServer:
    """A running issuer: `answer` overrides what its address of keys answers; `asked` counts who came for what."""

    url: str
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    answer: Callable[[], Response] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)

    def reset(self) -> None:
        """As it is at first: one key, `first`, and two ways to sign more."""
        self.keys = [
            published(rsa_key("first"), "first", alg="RS256", use="sig"),
            published(rsa_key("any"), "any"),
            published(ec_key("curve"), "curve", alg="ES256"),
            published(ec_key("longer", "P-384"), "longer"),
            published(rsa_key("sealing"), "sealing", use="enc"),
        ]
        self.answer, self.discovery = None, {}
        self.asked.clear()

    def publish(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)

    def claims(self, subject: str, *, at: datetime | None = None, **changed: Any) -> dict[str, Any]:
        """What an access token says, with these claims put in or, where they are LEFT_OUT, left out."""
        now = int((at or datetime.now(UTC)).timestamp())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "nbf": now, "exp": now + 300}
        return usual | changed

    def token(self, subject: str, *, at: datetime | None = None, **changed: Any) -> str:
        """Signed by RS256 with the key `first`."""
        header = as_json({"alg": "RS256", "kid": "first", "typ": "at+jwt"})
        payload = as_json(self.claims(subject, at=at, **changed))
        return compact(header, payload, signature_of(rsa_key("first"), "RS256"))

    async def _keys(self, _: Request) -> Response:
        self.asked["keys"] += 1
        return self.answer() if self.answer is not None else JSONResponse({"keys": self.keys})

    async def _discovery(self, _: Request) -> Response:
        self.asked["discovery"] += 1
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.discovery)

    async def _elsewhere(self, _: Request) -> Response:
        self.asked["elsewhere"] += 1
        return JSONResponse({"keys": self.keys})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/tenant/keys", self._keys),
                Route("/tenant/elsewhere", self._elsewhere),
                Route("/tenant/.well-known/openid-configuration", self._discovery),
            ]
        )

    def redirects(self) -> None:
        """From here on the address of keys sends whoever asks to another one."""
        self.answer = lambda: RedirectResponse(f"{self.url}/elsewhere")


@contextlib.contextmanager
def running_issuer() -> Iterator[IssuerServer]:
    """An issuer that listens, until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for an ACK
    made = IssuerServer(url=f"http://localhost:{listening.getsockname()[1]}/tenant")
    made.reset()
    server = uvicorn.Server(uvicorn.Config(made.app(), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield made
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
