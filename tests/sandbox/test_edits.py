"""Edits: what somebody changes in the books comes back by the clock, in pages, with its new status."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.sandbox.books import Books, instant


async def test_an_edit_takes_the_clocks_time_and_comes_last(books: Books) -> None:
    truth = await books.truth("invoices")
    id_, at = truth[5]["InvoiceID"], datetime.now(UTC).replace(microsecond=0)

    changed = await books.edit("invoices", id=id_, change={"Reference": "new", "Total": 0.1})
    since = (await books.read("Invoices", page=1, since=at.isoformat()))["Invoices"]

    assert changed["Reference"] == "new"
    assert [one["InvoiceID"] for one in since] == [id_]
    assert since[0]["Total"] == Decimal("0.1")
    assert instant(since[0]["UpdatedDateUTC"]) >= at
    assert since[0]["LineItems"]
    in_order = await books.ids("Invoices", order="UpdatedDateUTC ASC")
    assert in_order == [one["InvoiceID"] for one in truth if one["InvoiceID"] != id_] + [id_]
    assert await books.ids("Invoices") == [one["InvoiceID"] for one in truth]
    assert (await books.truth("invoices"))[5]["Reference"] == "new"


async def test_pages_stay_whole_with_edits_among_them(books: Books) -> None:
    truth = await books.truth("invoices")
    for place in (0, 9, 10, 11, 229):
        await books.edit(
            "invoices", id=truth[place]["InvoiceID"], change={"Url": f"https://example.invalid/{place}"}
        )
    made = [(await books.edit("invoices", create={"Status": "DRAFT"}))["InvoiceID"] for _ in range(2)]

    async def paged(**query: str) -> list[str]:
        found: list[str] = []
        for page in range(1, 25):
            found += await books.ids("Invoices", page=page, pageSize=10, **query)
        return found

    by_change = await paged(order="UpdatedDateUTC ASC")
    assert await paged() == [one["InvoiceID"] for one in truth] + made
    assert by_change[-7:] == [truth[place]["InvoiceID"] for place in (0, 9, 10, 11, 229)] + made
    assert sorted(by_change) == sorted([*(one["InvoiceID"] for one in truth), *made])
    assert await paged(order="UpdatedDateUTC DESC") == by_change[::-1]


async def test_a_new_record_is_complete_and_follows_filters(books: Books) -> None:
    made = await books.edit("invoices", create={"Type": "ACCPAY", "Status": "DRAFT", "InvoiceNumber": "S-1"})

    found = (await books.read("Invoices", page=1, where='Status=="DRAFT" AND InvoiceNumber=="S-1"'))[
        "Invoices"
    ]
    single = (await books.read(f"Invoices/{made['InvoiceID']}"))["Invoices"]

    assert [one["InvoiceID"] for one in found] == [made["InvoiceID"]]
    assert single == found
    assert found[0]["LineItems"]
    assert set(found[0]) >= {"Contact", "Total", "DueDate", "CurrencyCode"}


@pytest.mark.parametrize(
    ("dataset", "resource", "edit", "field", "status"),
    [
        ("accounts", "Accounts", {"archived": True}, "Status", "ARCHIVED"),
        ("accounts", "Accounts", {"deleted": True}, "Status", "DELETED"),
        ("bank_transactions", "BankTransactions", {"deleted": True}, "Status", "DELETED"),
        ("contacts", "Contacts", {"archived": True}, "ContactStatus", "ARCHIVED"),
        ("tax_rates", "TaxRates", {"deleted": True}, "Status", "DELETED"),
        ("tracking_categories", "TrackingCategories", {"archived": True}, "Status", "ARCHIVED"),
        ("payments", "Payments", {"deleted": True}, "Status", "DELETED"),
        ("bank_transfers", "BankTransfers", {"deleted": True}, "Status", "DELETED"),
        ("manual_journals", "ManualJournals", {"archived": True}, "Status", "ARCHIVED"),
    ],
)
async def test_what_is_taken_away_stays_with_another_status(
    books: Books, dataset: str, resource: str, edit: dict[str, bool], field: str, status: str
) -> None:
    record = (await books.truth(dataset))[1]
    id_field = {"tax_rates": "TaxType", "tracking_categories": "TrackingCategoryID"}.get(
        dataset, resource[:-1] + "ID"
    )

    await books.edit(dataset, id=record[id_field], **edit)

    found = (await books.read(resource, includeArchived="true", includeDeleted="true"))[resource]
    assert next(one for one in found if one[id_field] == record[id_field])[field] == status


async def test_a_payment_that_somebody_enters_stands(books: Books) -> None:
    made = await books.edit("payments", create={"Amount": 12.5})

    [found] = (await books.read("Payments", pageSize="100", order="UpdatedDateUTC DESC"))["Payments"][:1]
    assert (found["PaymentID"], found["Status"]) == (made["PaymentID"], "AUTHORISED")
    assert found["Amount"] == Decimal("12.5")


async def test_an_approved_invoice_is_voided_and_a_draft_deleted(books: Books) -> None:
    truth = await books.truth("invoices")
    statuses = {}
    for before in ("AUTHORISED", "DRAFT"):
        record = next(one for one in truth if one["Status"] == before)
        statuses[before] = (await books.edit("invoices", id=record["InvoiceID"], deleted=True))["Status"]

    assert statuses == {"AUTHORISED": "VOIDED", "DRAFT": "DELETED"}


@pytest.mark.parametrize("dataset", ["credit_notes", "prepayments", "overpayments", "manual_journals"])
async def test_what_was_approved_is_voided(books: Books, dataset: str) -> None:
    record = next(one for one in await books.truth(dataset) if one["Status"] in ("AUTHORISED", "POSTED"))
    resource = {"manual_journals": "ManualJournal"}.get(dataset, dataset[:-1].title().replace("_N", "N"))

    voided = await books.edit(dataset, id=record[f"{resource}ID"], deleted=True)

    assert voided["Status"] == "VOIDED"


@pytest.mark.parametrize(
    ("dataset", "resource", "id_field"),
    [
        ("items", "Items", "ItemID"),
        ("branding_themes", "BrandingThemes", "BrandingThemeID"),
        ("currencies", "Currencies", "Code"),
    ],
)
async def test_what_has_no_status_is_gone_without_a_trace(
    books: Books, dataset: str, resource: str, id_field: str
) -> None:
    before = await books.truth(dataset)
    id_ = before[1][id_field]

    await books.edit(dataset, id=id_, deleted=True)

    after = (await books.read(resource))[resource]
    single = await books.xero.read(books.access_token, books.tenant, f"{resource}/{id_}")
    assert [one[id_field] for one in after] == [one[id_field] for one in before if one[id_field] != id_]
    assert await books.truth(dataset) == [one for one in before if one[id_field] != id_]
    assert single.status_code == 404


async def test_a_transfer_that_is_made_tells_when(books: Books) -> None:
    at = datetime.now(UTC).replace(microsecond=0)

    made = await books.edit("bank_transfers", create={"Amount": 12.5})

    assert instant(made["CreatedDateUTC"]) >= at
    assert [
        one["Amount"] for one in (await books.read("BankTransfers", since=at.isoformat()))["BankTransfers"]
    ] == [Decimal("12.5")]


@pytest.mark.parametrize(
    "edit",
    [
        {"dataset": "contacts", "id": "x", "deleted": True},
        {"dataset": "nonsense", "create": {}},
        {"dataset": "invoices"},
        {"dataset": "invoices", "create": {}, "id": "x"},
        '{"dataset": "invoices", "create": {"Total": 12345678901234567.89}}',
    ],
)
async def test_edits_that_make_no_sense_are_refused(books: Books, edit: dict[str, Any] | str) -> None:
    text = edit if isinstance(edit, str) else json.dumps(edit)
    answer = await books.xero.http.post(f"/_control/organisations/{books.tenant}/records", content=text)

    assert answer.status_code in (400, 404)


async def test_edits_survive_reading_as_xml(books: Books) -> None:
    contact = (await books.truth("contacts"))[0]
    await books.edit("contacts", id=contact["ContactID"], change={"Name": "Ampersand & <Sons>"})

    answer: httpx.Response = await books.xero.read(
        books.access_token,
        books.tenant,
        f"Contacts/{contact['ContactID']}",
        headers={"Accept": "application/xml"},
    )

    assert "<Name>Ampersand &amp; &lt;Sons&gt;</Name>" in answer.text
