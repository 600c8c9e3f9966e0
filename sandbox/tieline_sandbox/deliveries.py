"""A delivery of webhooks, whoever's: what was wished for, how it is signed, and what goes wrong with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tieline_sandbox.notices import Notice

MOST_COPIES = 100
MOST_EVENTS = 100


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How one delivery is to be: of so many events at `most`, in `copies` at once, with what is wrong.

    `unknown` events of a kind that nobody knows are added. `form` is Intuit's, and `word` what it says has happened
    instead of what has. `intent` is Xero's intent to receive,
    which tells of nothing. Without `send` the delivery is only shown.
    """

    signature: Literal["good", "wrong", "none"] = "good"
    copies: int = 1
    most: int = MOST_EVENTS
    order: Literal["kept", "reversed"] = "kept"
    unknown: int = 0
    form: Literal["cloudevents", "older"] = "cloudevents"
    word: Literal["merged", "emailed", "void"] | None = None
    content_type: str | None = None
    intent: bool = False
    send: bool = True

    def ordered(self, notices: Sequence[Notice]) -> list[Notice]:
        return list(notices) if self.order == "kept" else list(reversed(notices))


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is posted."""

    headers: dict[str, str]
    body: bytes


def letter(wish: Wish, body: bytes, *, key: str, header: str, content_type: str) -> Letter:
    """Base64 of the HMAC-SHA256 of the body's bytes, in the provider's header."""
    headers = {"Content-Type": wish.content_type or content_type}
    if wish.signature != "none":
        used = key if wish.signature == "good" else f"{key}-of-another"
        headers[header] = base64.b64encode(hmac.digest(used.encode(), body, hashlib.sha256)).decode()
    return Letter(headers=headers, body=body)
