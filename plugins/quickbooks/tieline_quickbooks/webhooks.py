"""Intuit's webhooks: who signed them, and which feeds they touch, in the form of today and in the older one. No I/O.

    [{"id", "type": "qbo.invoice.updated.v1", "intuitaccountid", …}, …]             CloudEvents
    {"eventNotifications": [{"realmId", "dataChangeEvent": {"entities": [{…}]}}]}     before that

Either may tell of several companies.
https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
https://blogs.intuit.com/2025/11/12/upcoming-change-to-webhooks-payload-structure
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tieline.plugins import WebhookEvent, Webhooks, check_signature
from tieline.plugins.entries import Entry, text
from tieline.vault import Secret
from tieline_quickbooks.feeds import CHANGES, ORGANISATION
from tieline_quickbooks.mapping import NOUNS

WEBHOOKS = Webhooks(
    refusal=403,
    source="https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks/best-practices",
)

_FEEDS = {
    **{noun.entity.lower(): (CHANGES.name,) for noun in NOUNS},
    "companyinfo": (ORGANISATION.name,),
    "preferences": (ORGANISATION.name,),
}
"""Whatever happened to it: what it is now, the feed says."""

_SPACE, _SHORTEST = "qbo", 3
_TELLING_APART = ("name", "id", "operation", "lastUpdated")


def parse(headers: Mapping[str, str], body: bytes, secret: Secret) -> Sequence[WebhookEvent]:
    """Raises BadSignature."""
    check_signature(headers.get("intuit-signature"), body, secret)
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if isinstance(told, dict) and "eventNotifications" in told:
        return list(_older(told))
    events = told if isinstance(told, list) else [told]
    return [event for one in _objects(events) if (event := _of_cloud(one)) is not None]


def _of_cloud(entry: Entry) -> WebhookEvent | None:
    words = (text(entry, "type") or "").lower().split(".")
    if len(words) < _SHORTEST or words[0] != _SPACE:
        return None
    return _event(text(entry, "id"), text(entry, "intuitaccountid"), words[1])


def _older(told: Entry) -> Iterator[WebhookEvent]:
    for notification in _objects(told["eventNotifications"]):
        change, realm = notification.get("dataChangeEvent"), text(notification, "realmId")
        for entity in _objects(change.get("entities") if isinstance(change, dict) else None):
            marks = [realm, *(text(entity, name) for name in _TELLING_APART)]
            id_ = None if None in marks else " ".join(filter(None, marks))
            event = _event(id_, realm, text(entity, "name") or "")
            if event is not None:
                yield event


def _event(id_: str | None, realm: str | None, entity: str) -> WebhookEvent | None:
    feeds = _FEEDS.get(entity.lower())
    if feeds is None or realm is None:
        return None
    return WebhookEvent(id=id_, organisation=realm, feeds=feeds)


def _objects(value: object) -> list[Entry]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
