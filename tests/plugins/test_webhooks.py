"""What the plugins make of deliveries, by table: feeds, ids, organisations; and what the registry asks of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.ringing import without
from tests.webhooks.desk import SECRET, signature
from tieline.errors import StartRefused
from tieline.plugins import BadSignature, Registry, WebhookEvent, Webhooks, check_signature, receiver_of
from tieline.vault import Secret
from tieline_abacus import Abacus
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

XERO, QUICKBOOKS = Xero(), QuickBooks()
REALM, TENANT = "123145678901234", "55d84274-a3da-4829-a7c0-0cab601b95cc"


def at_xero(told: object) -> list[WebhookEvent]:
    body = json.dumps(told).encode()
    return list(XERO.parse_webhook({"x-xero-signature": signature(body)}, body, Secret(SECRET)))


def at_intuit(told: object) -> list[WebhookEvent]:
    body = json.dumps(told).encode()
    return list(QUICKBOOKS.parse_webhook({"intuit-signature": signature(body)}, body, Secret(SECRET)))


def xero_event(category: object, **more: Any) -> dict[str, Any]:
    return {
        "resourceId": "r",
        "eventDateUtc": "2026-05-04T03:02:01.000",
        "eventType": "UPDATE",
        "eventCategory": category,
        "tenantId": TENANT,
        "tenantType": "ORGANISATION",
    } | more


def cloud(type_: object, **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "e-1", "type": type_, "intuitaccountid": REALM, "data": {}} | more


@pytest.mark.parametrize(
    ("category", "feeds"),
    [
        ("CONTACT", ["contacts"]),
        ("INVOICE", ["invoices"]),
        ("CREDITNOTE", ["credit_notes"]),
        ("PREPAYMENT", ["prepayments"]),
        ("OVERPAYMENT", ["overpayments"]),
        ("invoice", ["invoices"]),
        ("SUBSCRIPTION", []),
        ("NOVELTY", []),
        (None, []),
        (7, []),
    ],
)
def test_a_category_of_xeros_touches_its_feed(category: object, feeds: list[str]) -> None:
    told = at_xero({"events": [xero_event(category)], "firstEventSequence": 1, "lastEventSequence": 1})

    assert [feed for event in told for feed in event.feeds] == feeds
    assert all(event.organisation == TENANT for event in told)
    assert set(feeds) <= {feed.name for feeds in XERO.info.feeds.values() for feed in feeds}


@pytest.mark.parametrize("part", ["tenantId", "eventCategory", "resourceId", "eventType", "eventDateUtc"])
def test_events_of_xeros_are_told_apart_by_each_of_these(part: str) -> None:
    other = "INVOICE" if part == "eventCategory" else "another"
    one, same, another = at_xero(
        {"events": [xero_event("CONTACT"), xero_event("CONTACT"), xero_event("CONTACT") | {part: other}]}
    )

    assert one.id == same.id != another.id


@pytest.mark.parametrize(
    ("type_", "feeds"),
    [
        ("qbo.invoice.updated.v1", ["changes"]),
        ("qbo.billpayment.created.v1", ["changes"]),
        ("QBO.Vendor.Merged.v2", ["changes"]),
        ("qbo.salesreceipt.void.v1", ["changes"]),
        ("qbo.preferences.updated.v1", ["organisation"]),
        ("qbo.taxagency.updated.v1", []),
        ("qbo.novelty.entangled.v9", []),
        ("payments.invoice.updated.v1", []),
        ("qbo.invoice", []),
        (None, []),
    ],
)
def test_a_type_of_intuits_touches_its_feed(type_: object, feeds: list[str]) -> None:
    told = at_intuit([cloud(type_)])

    assert [feed for event in told for feed in event.feeds] == feeds
    assert set(feeds) <= {feed.name for feeds in QUICKBOOKS.info.feeds.values() for feed in feeds}


def test_intuits_older_form_says_the_same_with_ids_of_our_own() -> None:
    entity = {"name": "Invoice", "id": "1", "operation": "Update", "lastUpdated": "2026-05-04T03:02:01.000Z"}
    told = {
        "eventNotifications": [
            {"realmId": REALM, "dataChangeEvent": {"entities": [entity, {**entity, "id": "2"}]}},
            {"realmId": "9", "dataChangeEvent": {"entities": [{"name": "Vendor", "id": "1"}, {"name": "?"}]}},
            {"realmId": "9", "dataChangeEvent": None},
        ]
    }

    first, second, undated = at_intuit(told)

    assert [event.organisation for event in (first, second, undated)] == [REALM, REALM, "9"]
    assert first.id is not None
    assert first.id != second.id
    assert undated == WebhookEvent(id=None, organisation="9", feeds=("changes",))
    assert at_intuit(told)[0] == first


def test_one_cloud_event_alone_and_a_company_that_is_a_number_are_read() -> None:
    assert at_intuit(cloud("qbo.bill.deleted.v1", intuitaccountid=int(REALM))) == [
        WebhookEvent(id="e-1", organisation=REALM, feeds=("changes",))
    ]


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "AAAA",
        signature(b"body", "other"),
        signature(b"body").lower(),
        f"{signature(b'body')} ",
        "\udcff",
    ],
)
def test_a_signature_is_the_one_there_is(given: str | None) -> None:
    check_signature(signature(b"body"), b"body", Secret(SECRET))

    with pytest.raises(BadSignature):
        check_signature(given, b"body", Secret(SECRET))


def saying(webhooks: object) -> Any:
    """Abacus, which says this of its webhooks."""
    said = without(Abacus())
    said.webhooks = webhooks
    return said


@pytest.mark.parametrize(
    ("provider", "flaw"),
    [
        (
            without(Abacus(), "parse_webhook"),
            "it has one of webhooks and parse_webhook, which belong together",
        ),
        (saying(None), "it has one of webhooks and parse_webhook, which belong together"),
        (saying({"refusal": 403}), "its 'webhooks' is no Webhooks"),
        (
            saying(Webhooks(refusal=200, source="x")),
            "its webhooks need a refusal of 400 to 499, and a source",
        ),
        (
            saying(Webhooks(refusal=403, source="")),
            "its webhooks need a refusal of 400 to 499, and a source",
        ),
    ],
)
def test_half_of_it_is_refused_at_the_start(provider: Any, flaw: str) -> None:
    with pytest.raises(StartRefused, match=flaw):
        Registry.of(provider)


def test_whole_or_left_out_it_is_accepted() -> None:
    assert receiver_of(Registry.of(Abacus()).get("abacus")) is not None
    silent = without(Abacus(), "webhooks", "parse_webhook")
    assert receiver_of(Registry.of(silent).get("abacus")) is None
