"""Books at the pretended Xero, read over HTTP: all of them, exactly, and what changed of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.plugins.xero_books import (
    AMOUNTS,
    DATASETS,
    FEEDS,
    UNLIMITED,
    Books,
    Kept,
    connected,
    first_pages,
    ids_of,
    multiply,
    opened,
    sums_of,
)
from tests.sandbox.conftest import started
from tests.sandbox.xero import Xero as Sandbox
from tieline.errors import ProviderBroken, ProviderUnavailable
from tieline.plugins import FeedKind

CHANGES = [name for name, feed in FEEDS.items() if feed.kind is FeedKind.CHANGES]
SNAPSHOTS = {name for name, feed in FEEDS.items() if feed.kind is FeedKind.SNAPSHOT}
PAGED = [
    *("contacts", "invoices", "credit_notes", "payments", "prepayments", "overpayments"),
    *("bank_transactions", "journals"),
]
RESOURCES = {
    "organisation": "Organisation",
    "accounts": "Accounts",
    "tax_rates": "TaxRates",
    "tracking_categories": "TrackingCategories",
    "contacts": "Contacts",
    "items": "Items",
    "currencies": "Currencies",
    "branding_themes": "BrandingThemes",
    "invoices": "Invoices",
    "credit_notes": "CreditNotes",
    "payments": "Payments",
    "prepayments": "Prepayments",
    "overpayments": "Overpayments",
    "bank_transactions": "BankTransactions",
    "bank_transfers": "BankTransfers",
    "journals": "ManualJournals",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("xero") / "log") as sandbox:
        yield sandbox.url


@pytest.fixture
async def sandbox(running: str) -> AsyncIterator[Sandbox]:
    async with httpx.AsyncClient(base_url=running, timeout=60) as http:
        made = Sandbox(http=http)
        await made.control("POST", "/reset")
        await made.configure()
        yield made


@pytest.fixture
async def books(sandbox: Sandbox) -> AsyncIterator[Books]:
    """Small ones."""
    async with opened(sandbox) as made:
        yield made


async def assert_whole(books: Books, kept: Kept, *datasets: str) -> None:
    truth = await books.truth()
    for dataset in datasets or DATASETS:
        assert kept.ids(dataset) == ids_of(dataset, truth[dataset]), dataset
        if dataset in AMOUNTS:
            assert kept.sums(dataset) == sums_of(dataset, truth[dataset]), dataset
    assert kept.set_aside == []


async def test_a_first_reading_brings_the_books_to_the_last_penny(books: Books) -> None:
    kept = Kept()

    pages = await kept.read(books)

    await assert_whole(books, kept)
    assert all(
        record.updated_at for record in kept.records.values() if record.dataset in {"bills", "contacts"}
    )
    assert len([page for page in pages if page.last]) == len(FEEDS)
    assert set(DATASETS) == {dataset for dataset, _ in kept.records}
    assert all((page.cursor is None) == (page.records[0].dataset in SNAPSHOTS) for page in pages)


async def test_archived_and_inactive_records_come_and_are_not_active(books: Books) -> None:
    before = await books.truth()
    await books.edit("accounts", id=before["accounts"][5]["AccountID"], archived=True)
    await books.edit("contacts", id=before["contacts"][5]["ContactID"], archived=True)
    kept = Kept()

    await kept.read(books, "accounts", "contacts", "tracking_categories")

    truth = await books.truth()

    for dataset, field in (("accounts", "Status"), ("contacts", "ContactStatus")):
        active = {
            record.external_id: record.active for (held, _), record in kept.records.items() if held == dataset
        }
        ids = {"accounts": "AccountID", "contacts": "ContactID"}[dataset]
        assert active == {one[ids]: one[field] == "ACTIVE" for one in truth[dataset]}
        assert not all(active.values())
    categories: list[Any] = [
        kept.records["tracking_categories", id_].data for id_ in kept.ids("tracking_categories")
    ]
    options = [option["active"] for category in categories for option in category["options"]]
    assert options.count(False) == 2


async def test_changes_come_and_deletions_and_archiving_with_them(books: Books) -> None:
    kept = Kept()
    await kept.read(books)
    truth = await books.truth()
    draft = next(one for one in truth["bills"] if one["Status"] in {"DRAFT", "SUBMITTED"})
    approved = next(one for one in truth["invoices"] if one["Status"] == "AUTHORISED")
    spent = next(one for one in truth["bank_transactions"] if one["Status"] == "AUTHORISED")
    credit = next(one for one in truth["credit_notes"] if one["Status"] == "AUTHORISED")
    moved = next(one for one in truth["bank_transfers"] if one["Status"] == "AUTHORISED")
    paid = next(one for one in truth["payments"] if one["Status"] == "AUTHORISED")
    posted = next(one for one in truth["journals"] if one["Status"] == "POSTED")
    contact = next(one for one in truth["contacts"] if one["ContactStatus"] == "ACTIVE")
    account = next(one for one in truth["accounts"] if one["Status"] == "ACTIVE")

    await books.edit("invoices", id=draft["InvoiceID"], deleted=True)
    await books.edit("invoices", id=approved["InvoiceID"], deleted=True)
    await books.edit("bank_transactions", id=spent["BankTransactionID"], deleted=True)
    await books.edit("credit_notes", id=credit["CreditNoteID"], deleted=True)
    await books.edit("bank_transfers", id=moved["BankTransferID"], deleted=True)
    await books.edit("payments", id=paid["PaymentID"], deleted=True)
    await books.edit("manual_journals", id=posted["ManualJournalID"], change={"Narration": "Corrected"})
    await books.edit("contacts", id=contact["ContactID"], archived=True)
    await books.edit("accounts", id=account["AccountID"], deleted=True)
    new = await books.edit("contacts", create={"Name": "Ashford Timber", "ContactStatus": "ACTIVE"})
    await kept.read(books)

    await assert_whole(books, kept)
    assert ("bills", draft["InvoiceID"]) in kept.gone
    assert ("bank_transactions", spent["BankTransactionID"]) in kept.gone
    assert ("accounts", account["AccountID"]) in kept.gone
    assert ("bank_transfers", moved["BankTransferID"]) in kept.gone
    assert ("payments", paid["PaymentID"]) in kept.gone
    assert kept.records["credit_notes", credit["CreditNoteID"]].active is False
    assert kept.records["journals", posted["ManualJournalID"]].name == "Corrected"
    voided = kept.records["invoices", approved["InvoiceID"]]
    assert (voided.active, voided.data["status"]) == (False, "VOIDED")
    assert kept.records["contacts", contact["ContactID"]].active is False
    assert kept.records["contacts", new["ContactID"]].name == "Ashford Timber"


async def test_calls_ask_for_as_much_as_xero_gives_and_for_changes_only(books: Books) -> None:
    kept = Kept()
    await kept.read(books)
    before = await books.last_call()

    await kept.read(books)

    first = {call["resource"]: call for call in await books.calls() if call["number"] <= before}
    second = {call["resource"]: call for call in await books.calls(after=before)}
    queries = {
        name: dict(pair.split("=") for pair in call["query"].split("&") if pair)
        for name, call in second.items()
    }
    assert list(second) == list(RESOURCES.values())
    for feed, resource in RESOURCES.items():
        assert ("If-Modified-Since" in second[resource]["headers"]) == (feed in CHANGES), feed
        assert "If-Modified-Since" not in first[resource]["headers"]
        assert queries[resource].get("pageSize") == ("1000" if feed in PAGED else None)
        in_order = feed in PAGED and feed != "journals"  # whose pages an order would spoil
        assert queries[resource].get("order") == ("UpdatedDateUTC+ASC" if in_order else None)
    assert {name for name, query in queries.items() if query.get("unitdp") == "4"} == {
        *("Items", "Invoices", "CreditNotes", "Prepayments", "Overpayments", "BankTransactions")
    }
    assert [name for name, query in queries.items() if query.get("includeDeleted")] == ["BankTransfers"]
    assert {name for name, query in queries.items() if query.get("includeArchived") == "true"} == {
        *("Contacts", "Invoices", "TrackingCategories")
    }


async def test_2500_invoices_that_are_edited_between_the_pages(sandbox: Sandbox) -> None:
    async with opened(sandbox, invoices=2500) as books:
        truth = await books.truth()
        documents = sorted(truth["invoices"] + truth["bills"], key=lambda one: one["UpdatedDateUTC"])
        kept, number = Kept(), 0

        async with aclosing(books.pages("invoices")) as pages:  # type: ignore[type-var]
            async for page in pages:
                kept.store("invoices", page)
                for one in documents[10 + number :: 500]:
                    await books.edit("invoices", id=one["InvoiceID"], change={"Reference": f"after {number}"})
                await books.edit("invoices", create={"InvoiceNumber": f"NEW-{number}"})
                number += 1
        await kept.read(books, "invoices")

        await assert_whole(books, kept, "invoices", "bills")
        after = [
            record for record in kept.records.values() if str(record.data["reference"]).startswith("after")
        ]
        assert number >= 3
        assert len(after) == 5 * number


async def test_every_cursor_on_the_way_leads_to_the_whole(sandbox: Sandbox) -> None:
    async with opened(sandbox, contacts=2500) as books:
        whole = Kept()
        pages = await whole.read(books, "contacts")
        asked = []

        for stop in range(len(pages)):
            kept, before = Kept(), await books.last_call()
            await first_pages(books, "contacts", kept, pages=stop + 1)
            await kept.read(books, "contacts")
            asked.append(len(await books.calls(after=before)))
            await assert_whole(books, kept, "contacts")

        assert len(pages) == 3
        assert asked == [3, 3, 4]  # no page is asked for again; after the last one a new reading begins


async def test_1500_contacts_that_were_all_changed_in_one_instant(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with started(tmp_path / "before", "--state", str(state)) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=60) as http:
            sandbox = Sandbox(http=http)
            person = await sandbox.populate(organisations=1, records={"contacts": 0})
            await sandbox.configure()
            await sandbox.control("PUT", "/limits", UNLIMITED)
            async with connected(sandbox, person.tenants[0], person) as books:
                await books.edit("contacts", create={"Name": "The first"})
    multiply(state, person.tenants[0], 1500)

    with started(tmp_path / "after", "--state", str(state)) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=60) as http:
            sandbox = Sandbox(http=http)
            await sandbox.configure()
            await sandbox.control("PUT", "/limits", UNLIMITED)
            async with connected(sandbox, person.tenants[0], person) as books:
                await assert_all_of_one_instant(books)


async def assert_all_of_one_instant(books: Books) -> None:
    kept = Kept()
    async with aclosing(books.pages("contacts")) as pages:  # type: ignore[type-var]
        async for page in pages:
            kept.store("contacts", page)
            if kept.cursors["contacts"] and len(kept.records) == 1000:
                moved = sorted(kept.records)[:3]
                for _, id_ in moved:
                    await books.edit("contacts", id=id_, change={"FirstName": "Moved"})
    assert len(await books.calls()) == 3
    await kept.read(books, "contacts")

    await assert_whole(books, kept, "contacts")
    assert len(kept.ids("contacts")) == 1500
    assert [record.data["first_name"] for record in kept.records.values()].count("Moved") == 3


@pytest.mark.parametrize(
    ("kind", "times", "error"),
    [("html", 3, ProviderUnavailable), ("truncated", 1, ProviderBroken), ("empty", 1, ProviderBroken)],
)
async def test_an_answer_that_is_none_stops_the_reading_and_leaves_the_cursor_good(
    sandbox: Sandbox, kind: str, times: int, error: type[Exception]
) -> None:
    async with opened(sandbox, contacts=1500) as books:
        kept = Kept()
        await sandbox.plant(kind, endpoint="accounting", plan={"times": times, "after": 1})

        with pytest.raises(error):
            await kept.read(books, "contacts")

        assert len(kept.records) == 1000
        await kept.read(books, "contacts")
        await assert_whole(books, kept, "contacts")


async def test_one_web_page_between_two_answers_is_not_even_noticed(books: Books) -> None:
    await books.sandbox.plant("html", endpoint="accounting")
    kept = Kept()

    await kept.read(books, "contacts")

    await assert_whole(books, kept, "contacts")


async def test_one_bad_record_is_set_aside_and_the_page_goes_on(books: Books) -> None:
    bad = (await books.truth())["bills"][0]["InvoiceID"]
    await books.edit("invoices", id=bad, change={"Total": "a lot"})
    kept = Kept()

    await kept.read(books, "invoices")

    assert [(one.dataset, one.external_id, one.why) for one in kept.set_aside] == [
        ("bills", bad, "Its Total is no amount.")
    ]
    assert len(kept.records) + len(kept.gone) == 119


@pytest.mark.parametrize("order", ["CHANGED", "CREATED"])
async def test_3000_journals_are_read_in_whatever_order_they_come(sandbox: Sandbox, order: str) -> None:
    async with opened(sandbox, manual_journals=3000) as books:
        await sandbox.control("PUT", f"/organisations/{books.tenant}", {"journal_order": order})
        last_of_a_page = (await books.truth())["journals"][999]["ManualJournalID"]
        await books.edit("manual_journals", id=last_of_a_page, change={"Narration": "Corrected"})
        kept = Kept()

        await kept.read(books, "journals")

        await assert_whole(books, kept, "journals")
        assert len(await books.calls()) == 4


async def test_an_item_that_was_deleted_is_not_in_the_next_snapshot(books: Books) -> None:
    deleted = (await books.truth())["items"][3]["ItemID"]
    await books.edit("items", id=deleted, deleted=True)
    kept = Kept()

    (page,) = await kept.read(books, "items")

    assert (page.last, len(page.records)) == (True, 19)
    await assert_whole(books, kept, "items")


async def test_the_tax_rates_that_are_there_now_are_one_page(books: Books) -> None:
    await books.edit("tax_rates", id="EXEMPTINPUT", deleted=True)
    kept = Kept()

    (page,) = await kept.read(books, "tax_rates")

    assert (page.last, page.cursor, len(page.records)) == (True, None, 9)
    assert page.gone == (("tax_rates", "EXEMPTINPUT"),)
