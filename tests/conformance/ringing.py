"""What breaks each of the rules about webhooks, and Abacus and its pretender without them."""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tieline.plugins import WebhookEvent
from tieline.vault import Secret
from tieline_abacus import Abacus, changes_in

_counter = itertools.count()


def without(whole: object, *parts: str) -> Any:
    """The same, but for these parts."""
    names = [name for name in dir(whole) if not name.startswith("_") and name not in parts]
    return SimpleNamespace(**{name: getattr(whole, name) for name in names})


class Bending(Abacus, ABC):
    """Each event is bent before it is handed over."""

    @abstractmethod
    def bend(self, event: WebhookEvent) -> WebhookEvent: ...

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        return [self.bend(event) for event in super().parse_webhook(headers, body, secret)]


class Shouting(Bending):
    def bend(self, event: WebhookEvent) -> WebhookEvent:
        return replace(event, organisation=event.organisation.upper())


class Misled(Bending):
    def bend(self, event: WebhookEvent) -> WebhookEvent:
        return replace(event, feeds=("accounts",))


class Counting(Bending):
    def bend(self, event: WebhookEvent) -> WebhookEvent:
        return replace(event, id=str(next(_counter)))


class Believing(Abacus):
    def parse_webhook(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - whoever sent it
        body: bytes,
        secret: Secret,  # noqa: ARG002
    ) -> Sequence[WebhookEvent]:
        return changes_in(body)


class Exacting(Abacus):
    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        found = super().parse_webhook(headers, body, secret)
        json.loads(body)
        return found


BROKEN = (
    ("what-is-signed-is-accepted", Shouting()),
    ("what-is-not-signed-is-refused", Believing()),
    ("nothing-signed-is-too-odd", Exacting()),
    ("events-touch-their-feeds", Misled()),
    ("events-keep-their-ids", Counting()),
)
