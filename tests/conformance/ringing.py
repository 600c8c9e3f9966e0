"""Abacus with webhooks, as the rules about them want it, and what breaks each of these rules."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from pretended_abacus import PretendedAbacus
from tests.webhooks.desk import signature
from tieline.plugins import WebhookEvent, Webhooks, check_signature
from tieline.plugins.entries import text
from tieline.vault import Secret
from tieline_abacus import Abacus

_WEBHOOKS = Webhooks(refusal=403, source="https://abacus.example/webhooks")
_HEADER = "x-abacus-signature"
_LISTS = ("accounts", "tax_rates")
_counter = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Ringing(Abacus):
    """It tells of one record at a time."""

    webhooks: Webhooks = _WEBHOOKS

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        self.check(headers, body, secret)
        return self.read(body)

    def check(self, headers: Mapping[str, str], body: bytes, secret: Secret) -> None:
        check_signature(headers.get(_HEADER), body, secret)

    def read(self, body: bytes) -> list[WebhookEvent]:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return []
        company = text(told, "company") if isinstance(told, dict) else None
        if company is None or told.get("list") not in _LISTS:
            return []
        return [WebhookEvent(id=text(told, "event"), organisation=company, feeds=(told["list"],))]


class Shouting(Ringing):
    def read(self, body: bytes) -> list[WebhookEvent]:
        return [replace(event, organisation=event.organisation.upper()) for event in super().read(body)]


class Believing(Ringing):
    def check(self, headers: Mapping[str, str], body: bytes, secret: Secret) -> None:
        """Whoever sent it."""


class Exacting(Ringing):
    def read(self, body: bytes) -> list[WebhookEvent]:
        json.loads(body)
        return super().read(body)


class Misled(Ringing):
    def read(self, body: bytes) -> list[WebhookEvent]:
        return [replace(event, feeds=("accounts",)) for event in super().read(body)]


class Counting(Ringing):
    def read(self, body: bytes) -> list[WebhookEvent]:
        return [replace(event, id=str(next(_counter))) for event in super().read(body)]


class RingingPretender(PretendedAbacus):
    """The same server, which tells of its accounts and tax rates."""

    webhook_secret = Secret("a-webhook-secret")

    def signed(self, body: bytes) -> dict[str, str]:
        return {_HEADER: signature(body, self.webhook_secret.reveal())}

    async def tell(self, dataset: str) -> bytes | None:
        id_ = await self.change(dataset)
        told: dict[str, Any] = {"company": self.organisation, "list": dataset, "record": id_}
        return json.dumps({**told, "event": str(self.revision)}).encode()


@asynccontextmanager
async def pretending() -> AsyncIterator[RingingPretender]:
    yield RingingPretender()


BROKEN = (
    ("what-is-signed-is-accepted", Shouting()),
    ("what-is-not-signed-is-refused", Believing()),
    ("nothing-signed-is-too-odd", Exacting()),
    ("events-touch-their-feeds", Misled()),
    ("events-keep-their-ids", Counting()),
)
