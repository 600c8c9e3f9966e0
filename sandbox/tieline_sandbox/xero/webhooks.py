"""Xero's webhooks: which changes it tells of, to which apps, in which words.

https://developer.xero.com/documentation/guides/webhooks/overview/
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from tieline_sandbox.deliveries import Letter, Wish, letter
from tieline_sandbox.notices import Notice
from tieline_sandbox.seeds import uuid_of
from tieline_sandbox.xero.model import App, XeroState

SECONDS = 5.0
_SIGNATURE = "x-xero-signature"
_ADDRESS = "https://api.xero.com/api.xro/2.0"
_TOLD = {
    "contacts": ("CONTACT", "Contacts"),
    "invoices": ("INVOICE", "Invoices"),
    "credit_notes": ("CREDITNOTE", "CreditNotes"),
    "prepayments": ("PREPAYMENT", "Prepayments"),
    "overpayments": ("OVERPAYMENT", "Overpayments"),
}


_BARE = frozenset({"CONTACT", "INVOICE"})


def is_told(state: XeroState, client_id: str, notice: Notice) -> bool:
    """Whether somebody has connected the organisation to the app, and Xero tells of such records at all."""
    connected = {
        connection.tenant_id
        for connection in state.connections.values()
        if connection.client_id == client_id and connection.is_connected
    }
    return notice.dataset in _TOLD and notice.organisation in connected


def letters(app: App, notices: Sequence[Notice], wish: Wish) -> list[Letter]:
    """One delivery; an intent to receive is four, of which two are signed wrongly on purpose."""
    if wish.intent:
        wishes = [Wish(signature=signature) for signature in ("good", "wrong", "good", "wrong")]
        return [_letter(app, _body([], ()), one) for one in wishes]
    events = [_event(one) for one in wish.ordered(notices)]
    events += [_unknown(number) for number in range(wish.unknown)]
    return [_letter(app, _body(events, notices), wish)]


def _letter(app: App, body: bytes, wish: Wish) -> Letter:
    return letter(wish, body, key=app.webhook_key, header=_SIGNATURE, content_type="application/json")


def _body(events: list[dict[str, Any]], notices: Sequence[Notice]) -> bytes:
    """Its spaces are not those that anybody's JSON library would write."""
    numbers = [one.number for one in notices] or [0]
    told = {
        "events": events,
        "firstEventSequence": numbers[0],
        "lastEventSequence": numbers[-1],
        "entropy": secrets.token_hex(10).upper(),
    }
    return json.dumps(told, separators=(",", ": ")).replace("}, {", "},  {").encode() + b"\r\n"


def _event(notice: Notice) -> dict[str, Any]:
    category, resource = _TOLD[notice.dataset]
    event = {
        "resourceUrl": f"{_ADDRESS}/{resource}/{notice.id}",
        "resourceId": notice.id,
        "eventDateUtc": notice.at.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "eventType": "CREATE" if notice.what == "created" else "UPDATE",
        "eventCategory": category,
        "tenantId": notice.organisation,
        "tenantType": "ORGANISATION",
    }
    return event if category in _BARE else event | {"data": notice.data}


def _unknown(number: int) -> dict[str, Any]:
    tenant_id = uuid_of("unknown", number)
    return {
        "resourceUrl": f"{_ADDRESS}/Novelties/{tenant_id}",
        "resourceId": tenant_id,
        "eventDateUtc": "2026-01-01T00:00:00.000",
        "eventType": "ENTANGLE",
        "eventCategory": "NOVELTY",
        "tenantId": tenant_id,
        "tenantType": "ORGANISATION",
    }
