"""Intuit's webhooks at the sandbox: CloudEvents and the older form, several companies, the queue that is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.letterbox import Letterbox, listening
from tests.sandbox.quickbooks.intuit import CLIENT_ID, Intuit, Person

TOKEN = "sandbox-quickbooks-verifier"


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    with listening() as box:
        yield box


@pytest.fixture
async def realms(intuit: Intuit, person: Person, letterbox: Letterbox) -> list[str]:
    """Two companies that are connected to an app which wants to be told, and one that is not."""
    for realm in person.realms[:2]:
        await intuit.connect(person, realm)
    await intuit.configure(webhook_url=letterbox.url)
    return person.realms


async def edit(intuit: Intuit, realm: str, dataset: str, **how: Any) -> str:
    made = await intuit.control("POST", f"/companies/{realm}/records", {"dataset": dataset, **how})
    id_: str = made["record"]["Id"]
    return id_


async def first(intuit: Intuit, realm: str, dataset: str) -> str:
    id_: str = (await intuit.control("GET", f"/companies/{realm}/books"))[dataset][0]["Id"]
    return id_


async def change(intuit: Intuit, realm: str, dataset: str) -> str:
    id_ = await first(intuit, realm, dataset)
    return await edit(intuit, realm, dataset, id=id_, change={"PrivateNote": "new"})


async def deliver(intuit: Intuit, **wish: Any) -> dict[str, Any]:
    delivered: dict[str, Any] = await intuit.control("POST", f"/apps/{CLIENT_ID}/webhooks", wish)
    return delivered


async def test_one_delivery_tells_of_all_companies_as_cloud_events(
    intuit: Intuit, realms: list[str], letterbox: Letterbox
) -> None:
    vendor = await edit(intuit, realms[0], "vendors", create={})
    await edit(intuit, realms[2], "vendors", create={})
    payment = await change(intuit, realms[1], "bill_payments")
    bill = await first(intuit, realms[1], "bills")
    await edit(intuit, realms[1], "bills", id=bill, deleted=True)
    await edit(intuit, realms[1], "tax_codes", create={})

    delivered = await deliver(intuit)

    assert [one["status"] for one in delivered["deliveries"]] == [200]
    (posted,) = letterbox.posted
    assert posted.is_signed("intuit-signature", TOKEN)
    assert posted.headers["content-type"] == "application/cloudevents+json"
    assert [(one["type"], one["intuitaccountid"], one["intuitentityid"]) for one in posted.told] == [
        ("qbo.vendor.created.v1", realms[0], vendor),
        ("qbo.billpayment.updated.v1", realms[1], payment),
        ("qbo.bill.deleted.v1", realms[1], bill),
    ]
    assert len({one["id"] for one in posted.told}) == 3
    assert {(one["specversion"], one["data"] == {}) for one in posted.told} == {("1.0", True)}


async def test_the_older_form_groups_by_company(
    intuit: Intuit, realms: list[str], letterbox: Letterbox
) -> None:
    ids = [await change(intuit, realm, "invoices") for realm in realms[:2]]

    await deliver(intuit, form="older", unknown=1)

    (posted,) = letterbox.posted
    assert posted.headers["content-type"] == "application/json"
    told = posted.told["eventNotifications"]
    assert [one["realmId"] for one in told] == [*realms[:2], "1"]
    (entity,) = told[0]["dataChangeEvent"]["entities"]
    assert (entity["name"], entity["id"], entity["operation"]) == ("Invoice", ids[0], "Update")
    assert entity["lastUpdated"].endswith("Z")


@pytest.mark.parametrize(("word", "older"), [("merged", "Merge"), ("emailed", "Emailed"), ("void", "Void")])
async def test_a_change_is_told_in_each_of_intuits_words(
    intuit: Intuit, realms: list[str], letterbox: Letterbox, word: str, older: str
) -> None:
    await change(intuit, realms[0], "invoices")
    await deliver(intuit, word=word)
    await change(intuit, realms[0], "invoices")
    await deliver(intuit, word=word, form="older")

    cloud, before = (posted.told for posted in letterbox.posted)
    assert cloud[0]["type"] == f"qbo.invoice.{word}.v1"
    (entity,) = before["eventNotifications"][0]["dataChangeEvent"]["entities"]
    assert entity["operation"] == older


async def test_nothing_comes_before_a_delivery_is_taken_and_its_events_keep_their_ids(
    intuit: Intuit, realms: list[str], letterbox: Letterbox
) -> None:
    letterbox.answers = [500, 400, 200]
    await change(intuit, realms[0], "invoices")
    await deliver(intuit)
    await change(intuit, realms[1], "bills")

    waiting = [(await deliver(intuit))["waiting"] for _ in range(3)]

    assert waiting == [2, 1, 0]
    ids = [[one["id"] for one in posted.told] for posted in letterbox.posted]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert letterbox.posted[3].told[0]["type"] == "qbo.bill.updated.v1"
