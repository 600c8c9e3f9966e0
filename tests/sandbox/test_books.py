"""The books: pages, filters, changes, and that what the API shows adds up to what there is."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from tests.sandbox.books import ID_FIELDS, PAGED, Books, Records, instant
from tests.sandbox.xero import Person, Xero

UNPAGED = {
    "Accounts": "accounts",
    "TaxRates": "tax_rates",
    "TrackingCategories": "tracking_categories",
    "Currencies": "currencies",
    "BrandingThemes": "branding_themes",
    "Items": "items",
    "BankTransfers": "bank_transfers",
}
DATASETS = PAGED | UNPAGED
NUMBERS = ",".join(f"INV-{number:05}" for number in range(10))


@pytest.mark.parametrize("resource", PAGED)
@pytest.mark.parametrize("size", [None, 7, 1000])
async def test_pages_add_up_to_the_books(books: Books, resource: str, size: int | None) -> None:
    seen: Records = []
    sized: dict[str, Any] = {"pageSize": size} if size else {}
    page = 1
    while True:
        query: dict[str, Any] = {
            "page": page,
            "unitdp": 4,
            "includeArchived": "true",
            "order": "UpdatedDateUTC ASC",
        }
        answer = await books.read(resource, **query | sized)
        seen += answer[resource]
        pagination = answer["pagination"]
        assert pagination["pageSize"] == (size or 100)
        if page >= pagination["pageCount"]:
            break
        page += 1

    assert seen == await books.truth(PAGED[resource])
    assert pagination["itemCount"] == len(seen)
    assert (await books.read(resource, page=page + 1, **sized))[resource] == []


@pytest.mark.parametrize("resource", UNPAGED)
async def test_what_has_no_pages_comes_whole(books: Books, resource: str) -> None:
    answer = await books.read(resource, includeArchived="true", includeDeleted="true", unitdp=4)

    assert answer[resource] == await books.truth(UNPAGED[resource])
    assert "pagination" not in answer


async def test_lines_come_in_pages_and_single_reads_only(books: Books) -> None:
    unpaged = (await books.read("Invoices"))["Invoices"]
    paged = (await books.read("Invoices", page=1))["Invoices"]
    single = (await books.read(f"Invoices/{paged[0]['InvoiceID']}"))["Invoices"]

    assert len(unpaged) == 230
    assert all(invoice["LineItems"] == [] for invoice in unpaged)
    assert all(invoice["LineItems"] for invoice in paged)
    assert single == paged[:1]


async def test_dates_and_numbers_have_xeros_form(books: Books) -> None:
    text = (await books.xero.read(books.access_token, books.tenant, "Invoices", page=1)).text
    invoice = json.loads(text)["Invoices"][0]

    assert re.fullmatch(r"/Date\(\d{13}\+0000\)/", invoice["UpdatedDateUTC"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00", invoice["DateString"])
    assert datetime.fromisoformat(invoice["DueDateString"]).replace(tzinfo=UTC) == instant(invoice["DueDate"])
    assert not re.search(r"\d\.\d{5,}", text)


async def test_four_decimals_are_for_those_who_ask(books: Books) -> None:
    four = (await books.read("Invoices", page=1, unitdp=4))["Invoices"]
    two = (await books.read("Invoices", page=1))["Invoices"]

    assert max(decimals(line["UnitAmount"]) for one in four for line in one["LineItems"]) == 4
    assert max(decimals(line["UnitAmount"]) for one in two for line in one["LineItems"]) == 2


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"where": 'Type=="ACCPAY"'}, lambda one: one["Type"] == "ACCPAY"),
        (
            {"where": 'Type=="ACCPAY" AND Status!="PAID"'},
            lambda one: one["Type"] == "ACCPAY" and one["Status"] != "PAID",
        ),
        ({"where": 'Status=="DRAFT" OR Status=="VOIDED"'}, lambda one: one["Status"] in ("DRAFT", "VOIDED")),
        ({"where": "Date >= DateTime(2026, 04, 01)"}, lambda one: one["DateString"] >= "2026-04-01"),
        (
            {"where": "Total>5000.5 AND SentToContact==true"},
            lambda one: one["Total"] > 5000.5 and one["SentToContact"],
        ),
        ({"Statuses": "PAID,AUTHORISED"}, lambda one: one["Status"] in ("PAID", "AUTHORISED")),
        (
            {"Statuses": '"PAID"', "where": 'Type=="ACCREC"'},
            lambda one: one["Status"] == "PAID" and one["Type"] == "ACCREC",
        ),
        ({"searchTerm": "inv-0001"}, lambda one: "INV-0001" in one["InvoiceNumber"]),
        (
            {"InvoiceNumbers": NUMBERS},
            lambda one: one["InvoiceNumber"] in NUMBERS.split(","),
        ),
    ],
)
async def test_filters_give_what_fits_and_nothing_else(
    books: Books, query: dict[str, str], fits: Any
) -> None:
    expected = [one["InvoiceID"] for one in await books.truth("invoices") if fits(one)]

    assert 0 < len(expected) < 230
    assert await books.ids("Invoices", **query) == expected


async def test_records_are_found_by_ids_and_by_contact(books: Books) -> None:
    truth = await books.truth("invoices")
    some = [truth[3]["InvoiceID"], truth[17]["InvoiceID"]]
    contact = truth[3]["Contact"]["ContactID"]
    of_contact = [one["InvoiceID"] for one in truth if one["Contact"]["ContactID"] == contact]

    assert await books.ids("Invoices", IDs=",".join([*some, "00000000-0000-4000-8000-000000000000"])) == some
    assert await books.ids("Invoices", ContactIDs=contact) == of_contact
    assert await books.ids("Invoices", where=f'Contact.ContactID==guid("{contact.upper()}")') == of_contact


@pytest.mark.parametrize(
    ("order", "key"),
    [("Total DESC", lambda one: -one["Total"]), ("DueDate ASC", lambda one: one["DueDateString"])],
)
async def test_any_field_orders(books: Books, order: str, key: Any) -> None:
    found = (await books.read("Invoices", page=1, pageSize=1000, order=order))["Invoices"]

    assert [key(one) for one in found] == sorted(key(one) for one in found)


async def test_the_newest_can_come_first(books: Books) -> None:
    newest = await books.ids("Invoices", order="UpdatedDateUTC DESC")

    assert newest == [one["InvoiceID"] for one in reversed(await books.truth("invoices"))]


@pytest.mark.parametrize(
    "query", [{"where": "Type LIKE x"}, {"order": "Name SIDEWAYS"}, {"where": 'Type=="A'}]
)
async def test_what_cannot_be_read_is_refused(books: Books, query: dict[str, Any]) -> None:
    answer = await books.xero.read(books.access_token, books.tenant, "Invoices", **query)

    assert answer.status_code == 400
    assert (answer.json()["ErrorNumber"], answer.json()["Type"]) == (16, "QueryParseException")


@pytest.mark.parametrize("resource", ID_FIELDS)
async def test_changes_since_a_second_include_that_second(books: Books, resource: str) -> None:
    truth = await books.truth(DATASETS[resource])
    at = "CreatedDateUTC" if resource == "BankTransfers" else "UpdatedDateUTC"
    second = instant(truth[30][at]).replace(microsecond=0)
    id_field = ID_FIELDS[resource]
    since_it = [one[id_field] for one in truth if instant(one[at]) >= second]
    after_it = [one[id_field] for one in truth if instant(one[at]) >= second + timedelta(seconds=1)]

    everything: Any = {"includeArchived": "true", "includeDeleted": "true"}
    for written in (
        second.strftime("%Y-%m-%dT%H:%M:%S"),
        second.isoformat(),
        format_datetime(second, usegmt=True),
    ):
        assert await books.ids(resource, since=written, **everything) == since_it
    later = (second + timedelta(seconds=1)).isoformat()
    assert await books.ids(resource, since=later, **everything) == after_it
    assert truth[30][id_field] in set(since_it) - set(after_it)


async def test_endpoints_without_changes_give_everything(books: Books) -> None:
    assert len((await books.read("TaxRates", since="2030-01-01T00:00:00"))["TaxRates"]) == 10


async def test_archived_contacts_are_for_those_who_ask(books: Books) -> None:
    truth = await books.truth("contacts")
    archived = {one["ContactID"] for one in truth if one["ContactStatus"] == "ARCHIVED"}

    everyone = await books.ids("Contacts", includeArchived="true")
    live = await books.ids("Contacts")

    assert archived
    assert set(everyone) - set(live) == archived


async def test_deleted_transfers_are_for_those_who_ask(books: Books) -> None:
    transfers = await books.truth("bank_transfers")

    live = (await books.read("BankTransfers"))["BankTransfers"]

    assert {one["Status"] for one in transfers} == {"AUTHORISED", "DELETED"}
    assert live == [one for one in transfers if one["Status"] == "AUTHORISED"]


async def test_journals_come_in_the_order_of_their_changes_unasked(books: Books) -> None:
    journals = await books.truth("manual_journals")
    await books.edit("manual_journals", id=journals[3]["ManualJournalID"], change={"Narration": "Again"})

    found = await books.ids("ManualJournals")

    ids = [one["ManualJournalID"] for one in journals]
    assert found == [*ids[:3], *ids[4:], ids[3]]


async def test_journals_may_come_in_the_order_in_which_they_came_to_be(books: Books) -> None:
    await books.xero.control("PUT", f"/organisations/{books.tenant}", {"journal_order": "CREATED"})
    ids = [one["ManualJournalID"] for one in await books.truth("manual_journals")]
    await books.edit("manual_journals", id=ids[3], change={"Narration": "Again"})

    assert await books.ids("ManualJournals") == ids


async def test_archived_options_are_for_those_who_ask(books: Books) -> None:
    some = (await books.read("TrackingCategories"))["TrackingCategories"]
    every = (await books.read("TrackingCategories", includeArchived="true"))["TrackingCategories"]

    assert [len(one["Options"]) for one in some] == [5, 5]
    assert [len(one["Options"]) for one in every] == [6, 6]


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ("accounting.invoices", {"Invoices", "CreditNotes", "Items"}),
        ("accounting.settings.read", set(UNPAGED) - {"BankTransfers"}),
        ("accounting.payments.read", {"Payments", "Prepayments", "Overpayments"}),
        ("accounting.banktransactions.read", {"BankTransactions", "BankTransfers"}),
        ("accounting.manualjournals.read", {"ManualJournals"}),
        ("accounting.contacts", {"Contacts"}),
    ],
)
async def test_each_endpoint_wants_its_scope(xero: Xero, person: Person, scope: str, opens: set[str]) -> None:
    pair = await xero.connect(person, person.tenants[0], scope=scope)

    statuses = {}
    for resource in DATASETS:
        statuses[resource] = (await xero.read(pair["access_token"], person.tenants[0], resource)).status_code

    assert statuses == {resource: 200 if resource in opens else 401 for resource in DATASETS}


async def test_answers_are_packed_for_those_who_take_it(books: Books) -> None:
    packed = await books.xero.read(books.access_token, books.tenant, "Invoices", page=1)
    plain = await books.xero.read(
        books.access_token, books.tenant, "Invoices", headers={"Accept-Encoding": "identity"}, page=1
    )

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert "content-encoding" not in plain.headers
    assert packed.json()["Invoices"] == plain.json()["Invoices"]


async def test_a_hundred_thousand_invoices_are_read_in_pages(books: Books) -> None:
    await books.xero.control("PUT", f"/organisations/{books.tenant}", {"records": {"invoices": 100_000}})

    last = await books.read(
        "Invoices", page=100, pageSize=1000, where='Type!="X"', order="UpdatedDateUTC ASC"
    )

    assert last["pagination"] == {"page": 100, "pageSize": 1000, "pageCount": 100, "itemCount": 100_000}
    assert len(last["Invoices"]) == 1000


def decimals(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))
