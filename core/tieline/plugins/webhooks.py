"""Webhooks in: what a plugin says where its provider tells of changes by itself. A part that it may leave out.

    WebhookReceiver ── webhooks                             how the provider wants to be answered: data
                    ── parse_webhook(headers, body, secret) whether it is the provider's, and what it tells of

A webhook is a hint: it makes feeds due, and nothing of it is stored as a record.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast

from tieline.errors import TielineError
from tieline.vault import Secret


class BadSignature(TielineError):
    """The delivery is not signed with the app's secret: whoever sent it, nothing of it is believed."""

    code: ClassVar[str] = "BAD_SIGNATURE"

    def __init__(self) -> None:
        super().__init__("This delivery is not signed with the secret that the app has for webhooks.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhooks:
    """How a provider's webhooks are answered. `refusal` is the status that it wants for a bad signature, 400 to 499.

    `source` is the address of the page that says so.
    """

    refusal: int
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookEvent:
    """Something happened in an organisation: which feeds have to be read to see it.

    `organisation` is spelt as in `Reached.external_id`. `id` is the same when the event is delivered again; None where
    nothing in it tells one event from another, and then it counts each time.
    """

    id: str | None
    organisation: str
    feeds: tuple[str, ...]


class WebhookReceiver(Protocol):
    """The part of a provider that reads its webhooks."""

    @property
    def webhooks(self) -> Webhooks: ...

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        """What a delivery tells of, in any order; nothing for what is not known, and for what cannot be read.

        The names of `headers` are in lower case; `body` is as it came, byte by byte. Raises BadSignature before
        anything of the body is read, and nothing else, whatever the body is.
        """
        ...


def receiver_of(provider: object) -> WebhookReceiver | None:
    """The provider as a receiver; None where it does without webhooks."""
    is_one = callable(getattr(provider, "parse_webhook", None))
    return cast("WebhookReceiver", provider) if is_one else None


def check_signature(signature: str | None, body: bytes, secret: Secret) -> None:
    """See, in a time that tells nothing, that this is the Base64 of the body's HMAC-SHA256. Raises BadSignature.

    The key is the secret's own text in UTF-8.
    """
    digest = hmac.new(secret.reveal().encode(), body, hashlib.sha256).digest()
    given = (signature or "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(base64.b64encode(digest), given):
        raise BadSignature
