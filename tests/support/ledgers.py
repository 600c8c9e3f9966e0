"""What was synced, read through GraphQL to the end of each list, beside what the provider's books hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support.firm import Caller
from tests.support.sandbox import Books, Sandbox

Shown = dict[str, Any]

LISTS = {
    "accounts": "externalId code name type classification status active",
    "contacts": "externalId name email isSupplier isCustomer active phones { number }",
    "taxRates": "externalId name percent active components { name percent }",
    "trackingCategories": "externalId name active options { externalId name active }",
    "ledgerDocuments": "kind externalId number datedOn dueOn currency subtotal tax total paid due status active "
    "contact { externalId name } lines { description quantity unitAmount amount taxAmount accountCode }",
}
_PAGE = """query($id: ID!, $first: Int!, $after: String) {{
  page: {list}(connectionId: $id, first: $first, after: $after) {{
  totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {fields} }} }} }}"""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """One connection's records as a caller sees them, and the organisation at the provider."""

    caller: Caller = field(repr=False)
    sandbox: Sandbox = field(repr=False)
    connection_id: str
    organisation: Books

    async def shown(self, *, first: int = 200) -> dict[str, list[Shown]]:
        """Every list to its end, in its order."""
        return {name: await self.listed(name, first=first) for name in LISTS}

    async def listed(self, name: str, *, first: int = 200) -> list[Shown]:
        return await read_to_end(self.caller, self.connection_id, name, LISTS[name], first=first)

    async def truth(self) -> dict[str, list[Shown]]:
        """What the lists should show, in no order."""
        answer = await self.sandbox.http.get(
            f"{self.sandbox.url}/_control/organisations/{self.organisation.tenant_id}/books"
        )
        books: dict[str, Any] = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)
        documents = [*books["invoices"], *books["bank_transactions"]]
        return {
            "accounts": [_account(one) for one in _standing(books["accounts"])],
            "contacts": [_contact(one) for one in _standing(books["contacts"])],
            "taxRates": [_tax_rate(one) for one in _standing(books["tax_rates"])],
            "trackingCategories": [_category(one) for one in _standing(books["tracking_categories"])],
            "ledgerDocuments": [_document(one) for one in _standing(documents)],
        }

    async def edit(self, dataset: str, **how: Any) -> Shown:
        """Somebody works at the provider: the record as its API shows it from now on."""
        path = f"/organisations/{self.organisation.tenant_id}/records"
        record: Shown = (await self.sandbox.control("POST", path, {"dataset": dataset, **how}))["record"]
        return record


async def read_to_end(
    caller: Caller, connection_id: str, name: str, fields: str, *, first: int = 200
) -> list[Shown]:
    """A list of this name, page by page."""
    query = _PAGE.format(list=name, fields=fields)
    found: list[Shown] = []
    after = None
    while True:
        page = (await caller.ask(query, id=connection_id, first=first, after=after))["page"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found


def by_id(lists: dict[str, list[Shown]]) -> dict[str, list[Shown]]:
    return {name: sorted(nodes, key=lambda one: str(one["externalId"])) for name, nodes in lists.items()}


def _standing(records: Iterable[Shown]) -> list[Shown]:
    return [one for one in records if one.get("Status") != "DELETED"]


def _account(one: Shown) -> Shown:
    return {
        "externalId": one["AccountID"],
        "code": one.get("Code") or None,
        "name": one["Name"],
        "type": one["Type"],
        "classification": one["Class"],
        "status": one["Status"],
        "active": one["Status"] == "ACTIVE",
    }


def _contact(one: Shown) -> Shown:
    parts = ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber")
    numbers = [" ".join(filter(None, (phone[part] for part in parts))) for phone in one.get("Phones", ())]
    return {
        "externalId": one["ContactID"],
        "name": one["Name"],
        "email": one.get("EmailAddress") or None,
        "isSupplier": one["IsSupplier"],
        "isCustomer": one["IsCustomer"],
        "active": one["ContactStatus"] == "ACTIVE",
        "phones": [{"number": number} for number in numbers if number],
    }


def _tax_rate(one: Shown) -> Shown:
    return {
        "externalId": one["TaxType"],
        "name": one["Name"],
        "percent": digits(one.get("EffectiveRate")),
        "active": one["Status"] == "ACTIVE",
        "components": [
            {"name": part["Name"], "percent": digits(part["Rate"])} for part in one["TaxComponents"]
        ],
    }


def _category(one: Shown) -> Shown:
    return {
        "externalId": one["TrackingCategoryID"],
        "name": one["Name"],
        "active": one["Status"] == "ACTIVE",
        "options": [
            {
                "externalId": option["TrackingOptionID"],
                "name": option["Name"],
                "active": option["Status"] == "ACTIVE",
            }
            for option in one["Options"]
        ],
    }


def _document(one: Shown) -> Shown:
    kinds = {"ACCREC": "INVOICE", "ACCPAY": "BILL"}
    contact = one.get("Contact")
    return {
        "kind": kinds.get(one["Type"], "BANK_TRANSACTION"),
        "externalId": one.get("InvoiceID") or one["BankTransactionID"],
        "number": one.get("InvoiceNumber") or None,
        "datedOn": one["DateString"][:10],
        "dueOn": one["DueDateString"][:10] if one.get("DueDateString") else None,
        "currency": one["CurrencyCode"],
        "subtotal": digits(one.get("SubTotal")),
        "tax": digits(one.get("TotalTax")),
        "total": digits(one.get("Total")),
        "paid": digits(one.get("AmountPaid")),
        "due": digits(one.get("AmountDue")),
        "status": one["Status"],
        "active": one["Status"] != "VOIDED",
        "contact": contact and {"externalId": contact["ContactID"], "name": contact["Name"]},
        "lines": [
            {
                "description": line.get("Description") or None,
                "quantity": digits(line.get("Quantity")),
                "unitAmount": digits(line.get("UnitAmount")),
                "amount": digits(line.get("LineAmount")),
                "taxAmount": digits(line.get("TaxAmount")),
                "accountCode": line.get("AccountCode") or None,
            }
            for line in one["LineItems"]
        ],
    }


def digits(number: Decimal | None) -> str | None:
    """As the scalar Decimal writes an amount."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
