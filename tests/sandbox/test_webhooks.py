"""Xero's webhooks at the sandbox: what is told of to whom, how it is signed, and what is planted in a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.letterbox import Letterbox, listening
from tests.sandbox.xero import CLIENT_ID, Person, Xero

KEY = "sandbox-xero-webhook-key"


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    with listening() as box:
        yield box


@pytest.fixture
async def tenant(xero: Xero, person: Person, letterbox: Letterbox) -> str:
    """An organisation that is connected to an app which wants to be told."""
    await xero.connect(person, person.tenants[0])
    await xero.configure(webhook_url=letterbox.url)
    return person.tenants[0]


async def edit(xero: Xero, tenant: str, dataset: str, **how: Any) -> dict[str, Any]:
    made = await xero.control("POST", f"/organisations/{tenant}/records", {"dataset": dataset, **how})
    record: dict[str, Any] = made["record"]
    return record


async def deliver(xero: Xero, **wish: Any) -> dict[str, Any]:
    delivered: dict[str, Any] = await xero.control("POST", f"/apps/{CLIENT_ID}/webhooks", wish)
    return delivered


async def test_what_changes_is_told_once_and_signed_over_its_bytes(
    xero: Xero, tenant: str, letterbox: Letterbox
) -> None:
    made = await edit(xero, tenant, "invoices", create={"Type": "ACCPAY"})
    note = (await xero.control("GET", f"/organisations/{tenant}/books"))["credit_notes"][0]
    await edit(xero, tenant, "credit_notes", id=note["CreditNoteID"], change={"Reference": "new"})
    await edit(xero, tenant, "accounts", create={})

    delivered = await deliver(xero)
    again = await deliver(xero)

    assert [one["status"] for one in delivered["deliveries"]] == [200]
    assert (delivered["events"], delivered["waiting"], again["events"]) == (2, 0, 0)
    first, empty = letterbox.posted
    assert first.is_signed("x-xero-signature", KEY)
    assert first.headers["content-type"] == "application/json"
    assert [(one["eventCategory"], one["eventType"], one["resourceId"]) for one in first.told["events"]] == [
        ("INVOICE", "CREATE", made["InvoiceID"]),
        ("CREDITNOTE", "UPDATE", note["CreditNoteID"]),
    ]
    assert {one["tenantId"] for one in first.told["events"]} == {tenant}
    assert first.told["events"][1]["data"] == {"Type": note["Type"], "Status": note["Status"]}
    assert first.told["firstEventSequence"] < first.told["lastEventSequence"]
    assert empty.told["events"] == []


async def test_only_what_is_connected_to_the_app_is_told_of(
    xero: Xero, person: Person, tenant: str, letterbox: Letterbox
) -> None:
    await edit(xero, person.tenants[1], "contacts", create={"Name": "Of no interest"})
    await edit(xero, tenant, "contacts", create={"Name": "Of interest"})

    delivered = await deliver(xero)

    assert delivered["events"] == 1
    assert [one["tenantId"] for one in letterbox.posted[0].told["events"]] == [tenant]


async def test_what_is_not_acknowledged_is_delivered_again_before_anything_else(
    xero: Xero, tenant: str, letterbox: Letterbox
) -> None:
    letterbox.answers = [503, 200]
    await edit(xero, tenant, "contacts", create={"Name": "First"})
    refused = await deliver(xero)
    await edit(xero, tenant, "invoices", create={})

    taken, rest = await deliver(xero), await deliver(xero)

    assert [one["deliveries"][0]["status"] for one in (refused, taken, rest)] == [503, 200, 200]
    assert [one["waiting"] for one in (refused, taken, rest)] == [1, 1, 0]
    told = [[one["eventCategory"] for one in posted.told["events"]] for posted in letterbox.posted]
    assert told == [["CONTACT"], ["CONTACT"], ["INVOICE"]]


async def test_an_intent_to_receive_is_signed_rightly_and_wrongly(
    xero: Xero, tenant: str, letterbox: Letterbox
) -> None:
    await edit(xero, tenant, "contacts", create={"Name": "Not told yet"})

    delivered = await deliver(xero, intent=True)

    assert len(delivered["deliveries"]) == 4
    assert sorted(one.is_signed("x-xero-signature", KEY) for one in letterbox.posted) == [
        False,
        False,
        True,
        True,
    ]
    assert all("x-xero-signature" in one.headers for one in letterbox.posted)
    assert all(one.told["events"] == [] and one.told["entropy"] for one in letterbox.posted)
    assert delivered["waiting"] == 1


async def test_a_delivery_can_be_wrong_doubled_turned_round_or_of_unknown_things(
    xero: Xero, tenant: str, letterbox: Letterbox
) -> None:
    for _ in range(2):
        await edit(xero, tenant, "contacts", create={"Name": "New"})
    letterbox.answers = [401, 401]

    await deliver(xero, signature="wrong")
    await deliver(xero, signature="none")
    turned = await deliver(xero, order="reversed", unknown=1, copies=3, content_type="text/plain")

    wrong, unsigned, *copies = letterbox.posted
    assert "x-xero-signature" not in unsigned.headers
    assert not wrong.is_signed("x-xero-signature", KEY)
    assert len(copies) == len(turned["deliveries"]) == 3
    assert len({one.body for one in copies}) == 1
    events = copies[0].told["events"]
    assert [one["eventCategory"] for one in events] == ["CONTACT", "CONTACT", "NOVELTY"]
    assert [one["resourceId"] for one in events[:2]] == [
        one["resourceId"] for one in reversed(wrong.told["events"])
    ]
    assert copies[0].headers["content-type"] == "text/plain"


async def test_a_delivery_without_an_address_is_refused_and_nobody_there_is_no_answer(
    xero: Xero, person: Person
) -> None:
    unset = await xero.http.post(f"/_control/apps/{CLIENT_ID}/webhooks", json={})
    await xero.connect(person, person.tenants[0])
    with listening() as gone:
        await xero.configure(webhook_url=gone.url)
    await edit(xero, person.tenants[0], "contacts", create={"Name": "New"})

    unheard = await deliver(xero)

    assert (unset.status_code, unset.json()) == (400, {"error": "webhook_url: is not set for this app"})
    assert unheard["deliveries"] == [{"status": None, "headers": {}, "body": ""}]
    assert unheard["waiting"] == 1
