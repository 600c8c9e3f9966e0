"""Intuit's webhooks: which changes it tells of, to which apps, as CloudEvents or in the older form.

https://blogs.intuit.com/2025/11/12/upcoming-change-to-webhooks-payload-structure
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from tieline_sandbox.deliveries import Letter, Wish, letter
from tieline_sandbox.notices import Notice
from tieline_sandbox.quickbooks.books.kinds import BY_DATASET
from tieline_sandbox.quickbooks.model import App, QuickBooksState
from tieline_sandbox.seeds import uuid_of

SECONDS = 3.0
_SIGNATURE = "intuit-signature"
_SOURCE = "intuit.c2FuZGJveA="
_OLDER_WORDS = {
    "created": "Create",
    "updated": "Update",
    "deleted": "Delete",
    "merged": "Merge",
    "emailed": "Emailed",
    "void": "Void",
}
_SILENT = frozenset({"tax_codes", "tax_rates"})


def is_told(state: QuickBooksState, client_id: str, notice: Notice) -> bool:
    """Whether the app is connected to the company, and Intuit tells of such records at all."""
    connected = {
        grant.realm_id for grant in state.grants.values() if grant.client_id == client_id and grant.is_live
    }
    return notice.dataset not in _SILENT and notice.organisation in connected


def letters(app: App, notices: Sequence[Notice], wish: Wish) -> list[Letter]:
    """One delivery, of however many companies."""
    ordered = wish.ordered(notices)
    told = _older(ordered, wish) if wish.form == "older" else _cloud(ordered, wish)
    content_type = "application/json" if wish.form == "older" else "application/cloudevents+json"
    body = json.dumps(told, separators=(",", ":")).encode()
    return [letter(wish, body, key=app.verifier_token, header=_SIGNATURE, content_type=content_type)]


def _cloud(notices: Sequence[Notice], wish: Wish) -> list[dict[str, Any]]:
    known = [
        _cloud_event(
            uuid_of("quickbooks event", one.organisation, one.number, one.at),
            f"qbo.{_entity(one).lower()}.{wish.word or one.what}.v1",
            realm=one.organisation,
            id_=one.id,
            at=f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
        )
        for one in notices
    ]
    unknown = [
        _cloud_event(
            uuid_of("unknown", number),
            "qbo.novelty.entangled.v9",
            realm="1",
            id_="1",
            at="2026-01-01T00:00:00Z",
        )
        for number in range(wish.unknown)
    ]
    return known + unknown


def _cloud_event(event_id: str, type_: str, *, realm: str, id_: str, at: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": _SOURCE,
        "type": type_,
        "datacontenttype": "application/json",
        "time": at,
        "intuitentityid": id_,
        "intuitaccountid": realm,
        "data": {},
    }


def _older(notices: Sequence[Notice], wish: Wish) -> dict[str, Any]:
    """A company stands there as often as its records come in a row."""
    by_company = [
        (realm, [_older_entity(one, wish.word or one.what) for one in found])
        for realm, found in groupby(notices, key=lambda one: one.organisation)
    ]
    unknown = [{"name": "Novelty", "id": "1", "operation": "Entangle"} for _ in range(wish.unknown)]
    by_company += [("1", unknown)] if unknown else []
    return {
        "eventNotifications": [
            {"realmId": realm, "dataChangeEvent": {"entities": entities}} for realm, entities in by_company
        ]
    }


def _older_entity(notice: Notice, word: str) -> dict[str, Any]:
    return {
        "name": _entity(notice),
        "id": notice.id,
        "operation": _OLDER_WORDS[word],
        "lastUpdated": f"{notice.at:%Y-%m-%dT%H:%M:%S}.{notice.at.microsecond // 1000:03}Z",
    }


def _entity(notice: Notice) -> str:
    dataset: Any = notice.dataset
    return BY_DATASET[dataset].entity
