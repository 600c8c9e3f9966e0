"""Books that hold together: documents add up, what is paid is paid by something, and journal entries balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.quickbooks.intuit import Intuit


@dataclass(frozen=True, kw_only=True)
class Company:
    """All that a company's books hold."""

    country: str
    books: dict[str, list[dict[str, Any]]]

    def by_id(self, dataset: str) -> dict[str, dict[str, Any]]:
        return {one["Id"]: one for one in self.books[dataset]}


@pytest.fixture(params=["US", "GB"])
async def company(intuit: Intuit, request: pytest.FixtureRequest) -> Company:
    """One in a country with its own ways of tax."""
    person = await intuit.populate(companies=1, country=request.param)
    books = await intuit.control("GET", f"/companies/{person.realms[0]}/books")
    return Company(country=request.param, books=books)


def test_documents_add_up(company: Company) -> None:
    for dataset in ("bills", "vendor_credits", "purchases", "invoices", "credit_memos", "sales_receipts"):
        for one in company.books[dataset]:
            lines = [line for line in one["Line"] if line["DetailType"] != "SubTotalLineDetail"]
            net = sum(line["Amount"] for line in lines)
            assert net + one["TxnTaxDetail"]["TotalTax"] == one["TotalAmt"]
            assert ("GlobalTaxCalculation" in one) == (company.country == "GB")


@pytest.mark.parametrize(
    ("documents", "credits", "payments", "contact"),
    [
        ("invoices", "credit_memos", "payments", "CustomerRef"),
        ("bills", "vendor_credits", "bill_payments", "VendorRef"),
    ],
)
def test_what_is_paid_is_paid_by_money_and_credit(
    company: Company, documents: str, credits: str, payments: str, contact: str
) -> None:
    paid, given = company.by_id(documents), company.by_id(credits)
    used = 0

    for payment in company.books[payments]:
        first, *rest = payment["Line"]
        document = paid.pop(first["LinkedTxn"][0]["TxnId"])
        assert [link["TxnId"] for link in document["LinkedTxn"]] == [payment["Id"]]
        assert document["LinkedTxn"][0]["TxnType"].startswith(payment_word(payment))
        assert document["Balance"] + first["Amount"] == document["TotalAmt"]
        assert document[contact] == payment[contact]
        assert document["CurrencyRef"] == payment["CurrencyRef"]
        assert first["Amount"] - sum(line["Amount"] for line in rest) == payment["TotalAmt"]
        for line in rest:
            credit = given[line["LinkedTxn"][0]["TxnId"]]
            assert credit[contact] == payment[contact]
            assert credit["Balance"] + line["Amount"] == credit["TotalAmt"]
            assert credit["LinkedTxn"] == document["LinkedTxn"]
            used += 1

    assert used == len(given) > 0
    assert all(left["Balance"] == left["TotalAmt"] for left in paid.values())


def payment_word(payment: dict[str, Any]) -> str:
    """How documents name the kind of payment that paid them."""
    return f"BillPayment{payment['PayType']}" if "PayType" in payment else "Payment"


def test_deposits_gather_payments_and_some_is_kept_as_cash(company: Company) -> None:
    payments, kept = company.by_id("payments"), 0

    for deposit in company.books["deposits"]:
        cash = deposit.get("CashBack", {}).get("Amount", 0)
        assert sum(line["Amount"] for line in deposit["Line"]) - cash == deposit["TotalAmt"]
        for line in deposit["Line"]:
            for link in line.get("LinkedTxn", ()):
                assert payments.pop(link["TxnId"])["TotalAmt"] == line["Amount"]
        kept += bool(cash)

    assert kept > 0
    assert len(payments) == 30 - 24


def test_journal_entries_balance_and_transfers_have_two_ends(company: Company) -> None:
    accounts = company.by_id("accounts")

    for entry in company.books["journal_entries"]:
        sides = {"Debit": 0, "Credit": 0}
        for line in entry["Line"]:
            detail = line["JournalEntryLineDetail"]
            sides[detail["PostingType"]] += line["Amount"]
            assert detail["AccountRef"]["value"] in accounts
        assert sides["Debit"] == sides["Credit"] > 0
    for transfer in company.books["transfers"]:
        ends = [transfer[end]["value"] for end in ("FromAccountRef", "ToAccountRef")]
        assert len({*ends} & {*accounts}) == 2
        assert transfer["Amount"] > 0


def test_lines_name_items_that_are_there_and_are_booked_as_their_items_are(company: Company) -> None:
    items = company.by_id("items")

    for dataset in ("invoices", "credit_memos", "sales_receipts"):
        for one in company.books[dataset]:
            for line in one["Line"][:-1]:
                detail = line["SalesItemLineDetail"]
                item = items[detail["ItemRef"]["value"]]
                assert (detail["ItemRef"]["name"], detail["ItemAccountRef"]) == (
                    item["Name"],
                    item["IncomeAccountRef"],
                )
    assert {one["Type"] for one in items.values()} == {"Service", "NonInventory", "Inventory"}
    assert all(("QtyOnHand" in one) == one["TrackQtyOnHand"] for one in items.values())


def test_rates_of_tax_name_an_agency_that_is_there(company: Company) -> None:
    agencies = company.by_id("tax_agencies")

    assert {one["AgencyRef"]["value"] for one in company.books["tax_rates"]} == {*agencies}
    assert all(one["DisplayName"] and "Active" not in one for one in agencies.values())
