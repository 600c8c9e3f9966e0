"""Xero's webhooks: who signed them, and which feeds they touch. No I/O.

https://developer.xero.com/documentation/guides/webhooks/overview/
https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tieline.plugins import WebhookEvent, Webhooks, check_signature
from tieline.vault import Secret
from tieline_xero.wire import Entry, text

WEBHOOKS = Webhooks(
    refusal=401,
    source="https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/",
)

_FEEDS = {
    "CONTACT": ("contacts",),
    "INVOICE": ("invoices",),
    "CREDITNOTE": ("credit_notes",),
    "PREPAYMENT": ("prepayments",),
    "OVERPAYMENT": ("overpayments",),
}
"""Bills come as INVOICE. Other categories touch nothing: SUBSCRIPTION is about the app, and new ones come any day."""

_TELLING_APART = ("tenantId", "eventCategory", "resourceId", "eventType", "eventDateUtc")


def parse(headers: Mapping[str, str], body: bytes, secret: Secret) -> Sequence[WebhookEvent]:
    """Raises BadSignature. An intent to receive is a delivery without events."""
    check_signature(headers.get("x-xero-signature"), body, secret)
    return [event for entry in _entries(body) if (event := _event(entry)) is not None]


def _entries(body: bytes) -> list[Entry]:
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    events = told.get("events") if isinstance(told, dict) else None
    return [one for one in events if isinstance(one, dict)] if isinstance(events, list) else []


def _event(entry: Entry) -> WebhookEvent | None:
    feeds = _FEEDS.get((text(entry, "eventCategory") or "").upper())
    organisation = text(entry, "tenantId")
    if feeds is None or organisation is None:
        return None
    marks = [text(entry, name) for name in _TELLING_APART]
    return WebhookEvent(
        id=None if None in marks else " ".join(filter(None, marks)), organisation=organisation, feeds=feeds
    )
