"""An answer as a whole, so that a fault can bend it before it goes out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp, Message, Scope, Send

_WORTH_PACKING_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers and the complete body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, more: Mapping[str, str]) -> Answer:
        return replace(self, headers=(*self.headers, *more.items())) if more else self

    def with_body(self, body: bytes) -> Answer:
        kept = tuple(pair for pair in self.headers if pair[0].lower() != "content-length")
        return replace(self, body=body, headers=(*kept, ("content-length", str(len(body)))))

    def packed_for(self, accepted: str) -> Answer:
        """Gzipped, for a caller who takes it and a body that is worth it."""
        if "gzip" not in accepted or len(self.body) < _WORTH_PACKING_BYTES:
            return self
        packed = self.with_body(gzip.compress(self.body, compresslevel=1))
        return packed.with_headers({"content-encoding": "gzip", "vary": "Accept-Encoding"})

    async def send(self, send: Send) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def text_answer(status: int, text: str, content_type: str = "text/plain", **headers: str) -> Answer:
    named = ((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(status=status, headers=(("content-type", content_type), *named)).with_body(text.encode())


def json_answer(status: int, value: Any) -> Answer:
    return text_answer(status, json.dumps(value), "application/json; charset=utf-8")


async def captured(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """What an application answers to a request whose body was read already."""
    parts: list[bytes] = []
    start: Message = {}

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
    return Answer(status=start["status"], headers=headers, body=b"".join(parts))
