"""The books: pages, filters, changes, and that what the API shows adds up to what there is."""

from __future__ import annotations

import json
import re
from collections import Counter
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


async def test_the_default_books_have_the_promised_size(xero: Xero) -> None:
    person = await xero.populate(organisations=1)

    answer = await xero.http.get(f"/_control/organisations/{person.tenants[0]}/books")

    sizes = {name: len(records) for name, records in answer.json().items() if name != "organisation"}
    assert sizes == {
        "accounts": 60,
        "tax_rates": 10,
        "tracking_categories": 2,
        "contacts": 40,
        "currencies": 4,
        "branding_themes": 2,
        "items": 20,
        "invoices": 120,
        "credit_notes": 12,
        "payments": 120,
        "prepayments": 6,
        "overpayments": 4,
        "bank_transactions": 80,
        "bank_transfers": 15,
        "manual_journals": 15,
    }
    assert [len(one["Options"]) for one in answer.json()["tracking_categories"]] == [6, 6]


async def test_sums_are_those_of_the_lines(books: Books) -> None:
    for dataset in ("invoices", "bank_transactions", "credit_notes", "prepayments", "overpayments"):
        for record in await books.truth(dataset):
            lines = sum(line["LineAmount"] for line in record["LineItems"])
            tax = sum(line["TaxAmount"] for line in record["LineItems"])
            assert record["TotalTax"] == tax
            assert record["SubTotal"] == (lines - tax if record["LineAmountTypes"] == "Inclusive" else lines)
            assert record["Total"] == record["SubTotal"] + record["TotalTax"]


async def test_documents_point_at_contacts_and_accounts_that_are_there(books: Books) -> None:
    contacts = {one["ContactID"]: one for one in await books.truth("contacts")}
    accounts = {one["AccountID"]: one for one in await books.truth("accounts")}
    rates = {one["TaxType"] for one in await books.truth("tax_rates")}

    for invoice in await books.truth("invoices"):
        contact = contacts[invoice["Contact"]["ContactID"]]
        assert contact["Name"] == invoice["Contact"]["Name"]
        assert contact["IsSupplier" if invoice["Type"] == "ACCPAY" else "IsCustomer"]
        for line in invoice["LineItems"]:
            assert accounts[line["AccountID"]]["Code"] == line["AccountCode"]
            assert line["TaxType"] in rates
    for payment in await books.truth("bank_transactions"):
        assert accounts[payment["BankAccount"]["AccountID"]]["Type"] == "BANK"


async def test_payments_and_credits_settle_what_invoices_say_is_settled(books: Books) -> None:
    paid = Counter(dict.fromkeys(("nothing yet",), Decimal(0)))
    credited, back = paid.copy(), paid.copy()
    payments = {one["PaymentID"]: one for one in await books.truth("payments")}
    for payment in payments.values():
        if payment["Status"] == "AUTHORISED":
            side = paid if payment["PaymentType"] in ("ACCRECPAYMENT", "ACCPAYPAYMENT") else back
            side[payment["Invoice"]["InvoiceID"]] += payment["Amount"]
    invoices = {one["InvoiceID"]: one for one in await books.truth("invoices")}
    for dataset, id_field in (
        *(("credit_notes", "CreditNoteID"), ("prepayments", "PrepaymentID")),
        ("overpayments", "OverpaymentID"),
    ):
        for credit in await books.truth(dataset):
            allocated = sum(one["Amount"] for one in credit["Allocations"])
            for one in credit["Allocations"]:
                invoice = invoices[one["Invoice"]["InvoiceID"]]
                credited[invoice["InvoiceID"]] += one["Amount"]
                assert invoice["Contact"] == credit["Contact"]
                assert invoice["CurrencyCode"] == credit["CurrencyCode"]
                assert invoice["Status"] == "AUTHORISED"
            assert allocated == credit["AppliedAmount"]
            assert sum(one["Amount"] for one in credit["Payments"]) == back[credit[id_field]]
            if credit["Status"] in ("AUTHORISED", "PAID"):
                assert credit["RemainingCredit"] == credit["Total"] - allocated - back[credit[id_field]]
            assert (credit["Status"] == "PAID") == (
                credit["RemainingCredit"] == 0 and credit["Status"] in ("AUTHORISED", "PAID")
            )

    for invoice in invoices.values():
        assert invoice["AmountPaid"] == paid[invoice["InvoiceID"]]
        assert invoice["AmountCredited"] == credited[invoice["InvoiceID"]]
        assert all(payments[one["PaymentID"]]["Amount"] == one["Amount"] for one in invoice["Payments"])
        if invoice["Status"] not in ("VOIDED", "DELETED"):
            due = invoice["Total"] - invoice["AmountPaid"] - invoice["AmountCredited"]
            assert invoice["AmountDue"] == due
    assert sum(paid.values()) > 0
    assert sum(credited.values()) > 0
    assert sum(back.values()) > 0


async def test_journals_balance_and_transfers_have_two_ends(books: Books) -> None:
    accounts = {one["AccountID"]: one for one in await books.truth("accounts")}

    for journal in await books.truth("manual_journals"):
        assert sum(line["LineAmount"] for line in journal["JournalLines"]) == 0
        assert all(accounts[line["AccountID"]]["Type"] != "BANK" for line in journal["JournalLines"])
    for transfer in await books.truth("bank_transfers"):
        ends = [accounts[transfer[end]["AccountID"]] for end in ("FromBankAccount", "ToBankAccount")]
        assert [one["Type"] for one in ends] == ["BANK", "BANK"]
        assert ends[0] != ends[1]
        assert transfer["Amount"] > 0


async def test_lines_name_items_and_items_accounts_that_are_there(books: Books) -> None:
    items = {one["Code"]: one for one in await books.truth("items")}
    codes = {one["Code"] for one in await books.truth("accounts")}
    named = {
        line["ItemCode"]
        for one in await books.truth("invoices")
        for line in one["LineItems"]
        if "ItemCode" in line
    }

    assert named
    assert named <= set(items)
    for item in items.values():
        sides = (item["PurchaseDetails"], item["SalesDetails"])
        assert [bool(side) for side in sides] == [item["IsPurchased"], item["IsSold"]]
        assert {side["AccountCode"] for side in sides if side} <= codes


async def test_every_currency_of_a_document_is_one_of_the_organisations(books: Books) -> None:
    codes = [one["Code"] for one in await books.truth("currencies")]

    used = {one["CurrencyCode"] for one in await books.truth("invoices")}

    assert codes[0] == "GBP"
    assert used <= set(codes)


async def test_names_of_contacts_are_unique(books: Books) -> None:
    names = [one["Name"] for one in await books.truth("contacts")]

    assert len(set(names)) == len(names)


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
