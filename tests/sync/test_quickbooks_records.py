"""Every record of a company as we keep it, beside what the sandbox's Intuit says, after consent and a first sync."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import Desk
from tests.sync.test_quickbooks import Company, connected
from tieline.sync.runs import RunState

__all__ = ["desk", "sandbox", "sandbox_url"]

pytestmark = pytest.mark.usefixtures("opened")

Told = dict[str, Any]


async def test_every_record_says_what_the_company_says_names_what_is_there_and_adds_up(desk: Desk) -> None:
    company = await connected(desk)
    run = await company.first()
    assert (run.state, [each.set_aside for each in run.feeds]) == (RunState.SUCCEEDED, [0, 0, 0])
    books, kept = await company.books(), await records(company)

    for dataset, (at_intuit, said) in COMPARED.items():
        assert set(kept[dataset]) == {one["Id"] for one in books[at_intuit]}, dataset
        for one in books[at_intuit]:
            wanted = said(one)
            assert {name: kept[dataset][one["Id"]][name] for name in wanted} == wanted, (dataset, one["Id"])
    assert kept["preferences"][company.realm]["currency"] == "USD"
    assert kept["preferences"][company.realm]["term_id"] in kept["terms"]
    assert_referred(kept)
    assert_adding_up(kept)


def assert_referred(kept: dict[str, dict[str, Told]]) -> None:
    """Accounts, contacts, items, and what is linked are records, too."""
    for dataset in COMPARED:
        for one in kept[dataset].values():
            contact = one.get("contact")
            assert contact is None or contact["id"] in kept["contacts"]
            for field in ("bank_account", "from_account", "to_account"):
                assert one.get(field) is None or one[field]["id"] in kept["accounts"]
            for line in one.get("lines", ()):
                assert line["account_id"] is None or line["account_id"] in kept["accounts"]
                assert line.get("item_id") is None or line["item_id"] in kept["items"]
            for link in one.get("allocations", ()):
                assert link["document_id"] in kept[DATASET_OF[link["type"]]]


def assert_adding_up(kept: dict[str, dict[str, Told]]) -> None:
    """US companies give amounts without tax."""

    def added(one: Told) -> Decimal:
        return sum((Decimal(line["amount"]) for line in one["lines"] if line["amount"]), Decimal(0))

    for dataset in ("bills", "supplier_credit_notes", "invoices", "credit_notes", "sales_receipts"):
        for one in kept[dataset].values():
            assert added(one) + Decimal(one["tax"]) == Decimal(one["total"]), (dataset, one["id"])
    for one in kept["deposits"].values():
        assert added(one) == Decimal(one["total"])
    assert {added(one) for one in kept["journals"].values()} == {Decimal(0)}


async def records(company: Company) -> dict[str, dict[str, Told]]:
    rows = await company.desk.above.fetch(
        "SELECT dataset, external_id, data FROM ledger_record WHERE organisation_id = $1 AND deleted_at IS NULL",
        company.connection.organisation_id,
    )
    found: dict[str, dict[str, Told]] = {}
    for row in rows:
        found.setdefault(row["dataset"], {})[row["external_id"]] = json.loads(row["data"])
    return found


def money(number: float) -> str:
    """As records hold amounts."""
    text = f"{Decimal(str(number)):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def links(one: Told) -> list[Told]:
    """What the lines of a transaction are linked to."""
    return [
        {"document_id": link["TxnId"], "type": link["TxnType"], "amount": money(line["Amount"])}
        for line in one["Line"]
        for link in line.get("LinkedTxn", ())
    ]


def document(one: Told) -> Told:
    return {
        "number": one.get("DocNumber"),
        "dated_on": one["TxnDate"],
        "currency": one["CurrencyRef"]["value"],
        "total": money(one["TotalAmt"]),
        "tax": money(one["TxnTaxDetail"]["TotalTax"]),
        "due": money(one["Balance"]),
        "active": True,
    }


def of(kind: str) -> Callable[[Told], Told]:
    def contact(one: Told) -> Told:
        ref = one[f"{kind}Ref"]
        return {"contact": {"id": f"{kind.lower()}-{ref['value']}", "name": ref["name"]}}

    return contact


def both(*parts: Callable[[Told], Told]) -> Callable[[Told], Told]:
    return lambda one: {name: value for part in parts for name, value in part(one).items()}


def bill_payment(one: Told) -> Told:
    by = one.get("CheckPayment", {}).get("BankAccountRef") or one["CreditCardPayment"]["CCAccountRef"]
    return {
        "direction": "OUT",
        "type": one["PayType"],
        "reference": one["DocNumber"],
        "bank_account": account(by),
        "total": money(one["TotalAmt"]),
        "allocations": links(one),
    }


def account(ref: Told) -> Told:
    return {"id": ref["value"], "code": None, "name": ref["name"]}


def deposit(one: Told) -> Told:
    return {
        "direction": "IN",
        "bank_account": account(one["DepositToAccountRef"]),
        "total": money(one["TotalAmt"]),
        "allocations": links(one),
    }


def transfer(one: Told) -> Told:
    return {
        "from_account": account(one["FromAccountRef"]),
        "to_account": account(one["ToAccountRef"]),
        "amount": money(one["Amount"]),
        "dated_on": one["TxnDate"],
    }


def journal(one: Told) -> Told:
    return {"number": one["DocNumber"], "narration": one["PrivateNote"], "is_adjustment": one["Adjustment"]}


def item(one: Told) -> Told:
    is_stocked = one["TrackQtyOnHand"]
    return {
        "name": one["Name"],
        "code": one.get("Sku"),
        "type": one["Type"],
        "active": one["Active"],
        "is_tracked": is_stocked,
        "quantity": money(one["QtyOnHand"]) if is_stocked else None,
    }


def agency(one: Told) -> Told:
    return {"name": one["DisplayName"], "tracks_sales": one["TaxTrackedOnSales"]}


COMPARED: dict[str, tuple[str, Callable[[Told], Told]]] = {
    "items": ("items", item),
    "tax_agencies": ("tax_agencies", agency),
    "bills": ("bills", both(document, of("Vendor"))),
    "supplier_credit_notes": ("vendor_credits", both(document, of("Vendor"))),
    "bill_payments": ("bill_payments", both(bill_payment, of("Vendor"))),
    "invoices": ("invoices", both(document, of("Customer"))),
    "credit_notes": ("credit_memos", both(document, of("Customer"))),
    "sales_receipts": ("sales_receipts", both(document, of("Customer"))),
    "deposits": ("deposits", deposit),
    "bank_transfers": ("transfers", transfer),
    "journals": ("journal_entries", journal),
}
DATASET_OF = {
    "Bill": "bills",
    "BillPaymentCheck": "bill_payments",
    "BillPaymentCreditCard": "bill_payments",
    "VendorCredit": "supplier_credit_notes",
    "Invoice": "invoices",
    "Payment": "payments",
    "CreditMemo": "credit_notes",
}
