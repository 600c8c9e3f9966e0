"""An app's address for webhooks, as the tests of the sandbox need one: it keeps what is posted, and answers as told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One delivery as it came; names of headers in lower case."""

    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    def is_signed(self, header: str, key: str) -> bool:
        digest = hmac.new(key.encode(), self.body, hashlib.sha256).digest()
        return self.headers.get(header) == base64.b64encode(digest).decode()


@dataclass(kw_only=True)
class Letterbox:
    """`answers` are the statuses to come, 200 when there are none left."""

    url: str
    answers: list[int] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Letterbox]:
    """A letterbox until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            box.posted.append(Posted(headers=headers, body=body))
            self.send_response(box.answers.pop(0) if box.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        box = Letterbox(url=f"http://127.0.0.1:{server.server_port}/webhooks/here")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
