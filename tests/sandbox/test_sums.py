"""Books of the pretended Xero hold together: documents add up, what is paid is paid by something, journals balance."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from tests.sandbox.books import Books
from tests.sandbox.xero import Xero


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
