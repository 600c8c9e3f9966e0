"""What the slice hands about: whose address a delivery came to, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tieline.credentials.apps.repository import App
from tieline.plugins import Provider, WebhookReceiver
from tieline.vault import Secret


class Outcome(StrEnum):
    """What became of a delivery that was signed: it touched something, all of it was known, or nothing is ours."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    UNCONCERNED = "unconcerned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An app that takes webhooks, and who reads them."""

    app: App
    provider: Provider
    receiver: WebhookReceiver
    secret: Secret

    @property
    def refusal(self) -> int:
        """The status with which the provider wants a bad signature to be answered."""
        return self.receiver.webhooks.refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An event as it is kept: the hash of its id, None where it has none, and what it touches where."""

    key: bytes | None
    organisation: str
    feeds: frozenset[str]
