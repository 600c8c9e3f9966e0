"""A company's books through every list of the API, page by page, beside what Intuit has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.journeys.test_connecting import CONNECT
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.intuit import QuickBooks
from tests.support.jobs import JobTable
from tests.support.ledgers import digits, read_to_end
from tests.support.polling import until
from tests.support.rounds import Rounds
from tests.support.sandbox import Sandbox
from tieline.names import name_key

NAME = "Ashford Bakery Ltd"
RECORDS = {
    "accounts": 12,
    "vendors": 5,
    "customers": 5,
    "bills": 6,
    "purchases": 5,
    "invoices": 9,
    "payments": 8,
    "bill_payments": 4,
    "sales_receipts": 3,
}
VALUES = "externalId category name parentId active"
PAYMENTS = """kind type externalId direction reference methodId datedOn currency total unallocated active
  contact { externalId name } bankAccount { externalId name } allocations { documentId type amount }"""
RECEIPTS = "kind externalId methodId bankAccount { externalId } lines { itemId itemCode }"
ONES = """query($id: ID!) { ledgerOrganisation(connectionId: $id) { externalId name legalName yearEndMonth }
  ledgerPreferences(connectionId: $id) { externalId termId currency tracksDepartments } }"""
STATE = "query($id: ID!) { connection(id: $id) { lastRun { state setAside } } }"


@pytest.fixture
async def rounds(
    firm: Firm,
    sandbox: Sandbox,
    opened: Deployment,
    jobs: JobTable,  # noqa: ARG001 - empty
) -> AsyncIterator[Rounds]:
    above, quickbooks = await opened.connect(), QuickBooks(sandbox=sandbox)
    async with httpx.AsyncClient(timeout=30) as browser:
        yield Rounds(
            firm=firm,
            quickbooks=quickbooks,
            app=await quickbooks.app(firm.practice_id),
            person=await quickbooks.populate(NAME, records=RECORDS),
            browser=browser,
            above=above,
        )
    await above.close()


async def synced(rounds: Rounds, start: Callable[..., Any]) -> str:
    """The id of a connection whose first sync is over."""
    admin = rounds.firm.admin
    signed_in = await rounds.completed(await rounds.start(), rounds.person.named(NAME))
    given = {
        "signInId": signed_in["id"],
        "clientId": await admin.create_client(NAME),
        "organisationId": (await rounds.found(signed_in["id"]))[NAME],
        "product": "BOOKKEEPING",
    }
    payload = (await admin.ask(CONNECT, input=given))["connect"]
    assert payload["errors"] == [], payload
    connection_id: str = payload["connection"]["id"]
    start("worker")
    start("scheduler")

    async def over() -> bool:
        run = (await admin.ask(STATE, id=connection_id))["connection"]["lastRun"]
        return bool(run == {"state": "SUCCEEDED", "setAside": 0})

    await until(over, "the first sync is over")
    return connection_id


async def test_every_list_that_only_some_providers_have_is_what_the_company_holds(
    rounds: Rounds, start: Callable[..., Any]
) -> None:
    books = await rounds.quickbooks.books(rounds.person.named(NAME))
    connection_id = await synced(rounds, start)

    async def listed(name: str, fields: str) -> list[dict[str, Any]]:
        return await read_to_end(rounds.firm.admin, connection_id, name, fields, first=3)

    classes, departments = await listed("classes", VALUES), await listed("departments", VALUES)
    methods = await listed("paymentMethods", "externalId name type active")
    terms = await listed("paymentTerms", "externalId name dueDays discountPercent discountDays active")
    payments = await listed("payments", PAYMENTS)

    assert classes == by_name(value(one, "Class") for one in books["classes"])
    assert departments == by_name(value(one, "Department") for one in books["departments"])
    assert methods == by_name(
        {"externalId": one["Id"], "name": one["Name"], "type": one["Type"], "active": one["Active"]}
        for one in books["payment_methods"]
    )
    assert terms == by_name(term(one) for one in books["terms"])
    assert {one["externalId"]: one for one in payments} == {
        **{one["Id"]: payment(one) for one in books["payments"]},
        **{one["Id"]: bill_payment(one) for one in books["bill_payments"]},
    }
    days = [one["datedOn"] for one in payments]
    assert days == sorted(days, reverse=True)
    assert len(payments) == RECORDS["payments"] + RECORDS["bill_payments"]


async def test_receipts_agencies_and_what_the_company_says_of_itself_are_shown(
    rounds: Rounds, start: Callable[..., Any]
) -> None:
    company = rounds.person.named(NAME)
    books = await rounds.quickbooks.books(company)
    connection_id = await synced(rounds, start)
    admin = rounds.firm.admin

    documents = await read_to_end(admin, connection_id, "ledgerDocuments", RECEIPTS)
    agencies = await read_to_end(admin, connection_id, "taxAgencies", "externalId name")
    items = await read_to_end(admin, connection_id, "ledgerItems", "externalId name")
    told = await admin.ask(ONES, id=connection_id)

    receipts = {one["externalId"]: one for one in documents if one["kind"] == "SALES_RECEIPT"}
    assert receipts == {one["Id"]: receipt(one) for one in books["sales_receipts"]}
    named = {line["itemId"] for one in receipts.values() for line in one["lines"]} - {None}
    assert named
    assert named <= {one["externalId"] for one in items}
    assert agencies == by_name(
        {"externalId": one["Id"], "name": one["DisplayName"]} for one in books["tax_agencies"]
    )
    info = books["company_info"]
    assert told["ledgerOrganisation"] == {
        "externalId": company.realm_id,
        "name": info["CompanyName"],
        "legalName": info["LegalName"],
        "yearEndMonth": 12,
    }
    assert told["ledgerPreferences"]["externalId"] == company.realm_id
    assert told["ledgerPreferences"]["currency"] == "USD"


async def test_what_payments_name_stands_in_the_other_lists(
    rounds: Rounds, start: Callable[..., Any]
) -> None:
    connection_id = await synced(rounds, start)

    async def ids(name: str) -> set[str]:
        nodes = await read_to_end(rounds.firm.admin, connection_id, name, "externalId")
        return {node["externalId"] for node in nodes}

    payments = await read_to_end(rounds.firm.admin, connection_id, "payments", PAYMENTS)

    assert {one["contact"]["externalId"] for one in payments} <= await ids("contacts")
    assert {one["bankAccount"]["externalId"] for one in payments} <= await ids("accounts")
    assert {one["methodId"] for one in payments} - {None} <= await ids("paymentMethods")
    settled = {
        (each["type"], each["documentId"])
        for one in payments
        for each in one["allocations"]
        if each["type"] in {"Invoice", "Bill"}
    }
    assert len(settled) == RECORDS["payments"] + RECORDS["bill_payments"]
    assert {id_ for _, id_ in settled} <= await ids("ledgerDocuments")
    assert len(await ids("taxRates")) > 0


def by_name(nodes: Any) -> list[dict[str, Any]]:
    return sorted(nodes, key=lambda node: (name_key(node["name"]), node["externalId"]))


def value(one: dict[str, Any], category: str) -> dict[str, Any]:
    return {
        "externalId": one["Id"],
        "category": category,
        "name": one["FullyQualifiedName"],
        "parentId": None,
        "active": one["Active"],
    }


def term(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "externalId": one["Id"],
        "name": one["Name"],
        "dueDays": one["DueDays"],
        "discountPercent": digits(one["DiscountPercent"]),
        "discountDays": one["DiscountDays"],
        "active": one["Active"],
    }


def payment(one: dict[str, Any]) -> dict[str, Any]:
    customer, bank = one["CustomerRef"], one["DepositToAccountRef"]
    return {
        "kind": "PAYMENT",
        "type": None,
        "externalId": one["Id"],
        "direction": "IN",
        "reference": one["PaymentRefNum"],
        "methodId": one["PaymentMethodRef"]["value"],
        "datedOn": one["TxnDate"],
        "currency": one["CurrencyRef"]["value"],
        "total": digits(one["TotalAmt"]),
        "unallocated": digits(one["UnappliedAmt"]),
        "active": True,
        "contact": {"externalId": f"customer-{customer['value']}", "name": customer["name"]},
        "bankAccount": {"externalId": bank["value"], "name": bank["name"]},
        "allocations": allocations(one),
    }


def bill_payment(one: dict[str, Any]) -> dict[str, Any]:
    vendor = one["VendorRef"]
    by_cheque = one.get("CheckPayment", {}).get("BankAccountRef")
    bank = by_cheque or one["CreditCardPayment"]["CCAccountRef"]
    return {
        "kind": "BILL_PAYMENT",
        "type": one["PayType"],
        "externalId": one["Id"],
        "direction": "OUT",
        "reference": one["DocNumber"],
        "methodId": None,
        "datedOn": one["TxnDate"],
        "currency": one["CurrencyRef"]["value"],
        "total": digits(one["TotalAmt"]),
        "unallocated": None,
        "active": True,
        "contact": {"externalId": f"vendor-{vendor['value']}", "name": vendor["name"]},
        "bankAccount": {"externalId": bank["value"], "name": bank["name"]},
        "allocations": allocations(one),
    }


def allocations(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"documentId": linked["TxnId"], "type": linked["TxnType"], "amount": digits(line["Amount"])}
        for line in one["Line"]
        for linked in line["LinkedTxn"]
    ]


def receipt(one: dict[str, Any]) -> dict[str, Any]:
    lines = (line for line in one["Line"] if line["DetailType"] != "SubTotalLineDetail")
    named = [line.get("SalesItemLineDetail", {}).get("ItemRef", {}) for line in lines]
    return {
        "kind": "SALES_RECEIPT",
        "externalId": one["Id"],
        "methodId": one["PaymentMethodRef"]["value"],
        "bankAccount": {"externalId": one["DepositToAccountRef"]["value"]},
        "lines": [{"itemId": ref.get("value"), "itemCode": ref.get("name")} for ref in named],
    }
