"""What a plugin makes of a delivery, looked at before it is believed. No I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tieline.canonical import storable
from tieline.plugins import BadSignature, Provider, WebhookEvent
from tieline.plugins.edge import RAISED
from tieline.webhooks.records import Address, Told

_LONGEST_ID = 100


class Misread(Exception):
    """The plugin broke its contract; the message says how."""


def read(address: Address, headers: Mapping[str, str], body: bytes) -> list[Told]:
    """What touches some feed. Raises BadSignature and Misread."""
    slug = address.app.provider
    try:
        events = address.receiver.parse_webhook(headers, body, address.secret)
    except BadSignature:
        raise
    except RAISED as error:
        raise Misread(f"the plugin {slug} raised {type(error).__name__}") from error
    if not isinstance(events, list | tuple) or not all(isinstance(one, WebhookEvent) for one in events):
        raise Misread(f"the plugin {slug} made something else than events of a delivery")
    known = _feeds(address.provider)
    told = (_told(event, known) for event in events)
    return [each for each in told if each.feeds and _is_id(each.organisation)]


def _told(event: WebhookEvent, known: frozenset[str]) -> Told:
    digest = None if event.id is None else hashlib.sha256(event.id.encode("utf-8", "surrogatepass")).digest()
    return Told(key=digest, organisation=event.organisation, feeds=known & set(event.feeds))


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and storable(text) == text


def _feeds(provider: Provider) -> frozenset[str]:
    return frozenset(feed.name for feeds in provider.info.feeds.values() for feed in feeds)
