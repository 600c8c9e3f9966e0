"""One POST to an app, as a provider makes it: no redirect is followed, and nothing is asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

_MAX_ANSWER_BYTES = 10_000


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What the app answered; `status` is None where no answer came in time."""

    status: int | None
    headers: dict[str, str]
    body: str


def post(url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> Delivered:
    """Blocks until the answer is there or the time is up."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("POST", parts.path or "/", body, dict(headers))
        answer = connection.getresponse()
        text = answer.read(_MAX_ANSWER_BYTES).decode("utf-8", "replace")
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Delivered(status=answer.status, headers=told, body=text)
    except (OSError, HTTPException):
        return Delivered(status=None, headers={}, body="")
    finally:
        connection.close()
