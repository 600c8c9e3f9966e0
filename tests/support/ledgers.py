"""What was synced, read through GraphQL to the end of each list, beside what the provider's books hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
    "ledgerItems": "externalId code name active sale { unitPrice accountCode } purchase { unitPrice accountCode }",
    "currencies": "externalId name active",
    "brandingThemes": "externalId name position active",
    "ledgerDocuments": "kind externalId number datedOn dueOn currency subtotal tax total paid due status active "
    "contact { externalId name } lines { description quantity unitAmount amount taxAmount accountCode } "
    "allocations { documentId amount }",
    "payments": "kind type externalId direction datedOn currency total unallocated active contact { externalId name } "
    "allocations { documentId amount }",
    "bankTransfers": "externalId datedOn amount fromAccount { externalId } toAccount { externalId }",
    "journals": "externalId narration datedOn status active lines { amount accountCode }",
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

    async def books(self) -> dict[str, Any]:
        """What the organisation holds, by the provider's names."""
        answer = await self.sandbox.http.get(
            f"{self.sandbox.url}/_control/organisations/{self.organisation.tenant_id}/books"
        )
        books: dict[str, Any] = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)
        return books

    async def truth(self) -> dict[str, list[Shown]]:
        """What the lists should show, in no order."""
        books = await self.books()
        documents = [*books["invoices"], *books["credit_notes"], *books["bank_transactions"]]
        advances = [*books["prepayments"], *books["overpayments"]]
        return {
            "accounts": [_account(one) for one in _standing(books["accounts"])],
            "contacts": [_contact(one) for one in _standing(books["contacts"])],
            "taxRates": [_tax_rate(one) for one in _standing(books["tax_rates"])],
            "trackingCategories": [_category(one) for one in _standing(books["tracking_categories"])],
            "ledgerItems": [_item(one) for one in books["items"]],
            "currencies": [
                {"externalId": one["Code"], "name": one["Description"], "active": True}
                for one in books["currencies"]
            ],
            "brandingThemes": [_theme(one) for one in books["branding_themes"]],
            "ledgerDocuments": [_document(one) for one in _standing(documents)],
            "payments": [
                *(_payment(one) for one in _standing(books["payments"])),
                *(_advance(one) for one in advances),
            ],
            "bankTransfers": [_transfer(one) for one in _standing(books["bank_transfers"])],
            "journals": [_journal(one) for one in _standing(books["manual_journals"])],
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
    kinds = {
        "ACCREC": "INVOICE",
        "ACCPAY": "BILL",
        "ACCRECCREDIT": "CREDIT_NOTE",
        "ACCPAYCREDIT": "SUPPLIER_CREDIT_NOTE",
    }
    ids = (one.get(field) for field in ("InvoiceID", "CreditNoteID", "BankTransactionID"))
    return {
        "kind": kinds.get(one["Type"], "BANK_TRANSACTION"),
        "externalId": next(filter(None, ids)),
        "number": one.get("InvoiceNumber") or one.get("CreditNoteNumber") or None,
        "datedOn": one["DateString"][:10],
        "dueOn": one["DueDateString"][:10] if one.get("DueDateString") else None,
        "currency": one["CurrencyCode"],
        "subtotal": digits(one.get("SubTotal")),
        "tax": digits(one.get("TotalTax")),
        "total": digits(one.get("Total")),
        "paid": digits(one.get("AmountPaid")),
        "due": digits(one.get("AmountDue", one.get("RemainingCredit"))),
        "status": one["Status"],
        "active": one["Status"] != "VOIDED",
        "contact": _contact_ref(one),
        "allocations": _allocations(one),
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


def _item(one: Shown) -> Shown:
    return {
        "externalId": one["ItemID"],
        "code": one["Code"],
        "name": one["Name"],
        "active": True,
        "sale": _side(one, "IsSold", "SalesDetails"),
        "purchase": _side(one, "IsPurchased", "PurchaseDetails"),
    }


def _side(one: Shown, wanted: str, details: str) -> Shown | None:
    side = one[details]
    shown = {"unitPrice": digits(side.get("UnitPrice")), "accountCode": side.get("AccountCode")}
    return shown if one[wanted] else None


def _theme(one: Shown) -> Shown:
    return {
        "externalId": one["BrandingThemeID"],
        "name": one["Name"],
        "position": int(one["SortOrder"]),
        "active": True,
    }


def _payment(one: Shown) -> Shown:
    invoice = one["Invoice"]
    comes_in = one["PaymentType"] in ("ACCRECPAYMENT", "APCREDITPAYMENT")
    return {
        "kind": "PAYMENT",
        "type": one["PaymentType"],
        "externalId": one["PaymentID"],
        "direction": "IN" if comes_in else "OUT",
        "datedOn": _day(one["Date"]),
        "currency": invoice["CurrencyCode"],
        "total": digits(one["Amount"]),
        "unallocated": None,
        "active": True,
        "contact": _contact_ref(invoice),
        "allocations": [{"documentId": invoice["InvoiceID"], "amount": digits(one["Amount"])}],
    }


def _advance(one: Shown) -> Shown:
    return {
        "kind": "PREPAYMENT" if "PrepaymentID" in one else "OVERPAYMENT",
        "type": None,
        "externalId": one["ID"],
        "direction": "IN" if one["Type"].startswith("RECEIVE") else "OUT",
        "datedOn": one["DateString"][:10],
        "currency": one["CurrencyCode"],
        "total": digits(one["Total"]),
        "unallocated": digits(one["RemainingCredit"]),
        "active": one["Status"] != "VOIDED",
        "contact": _contact_ref(one),
        "allocations": _allocations(one),
    }


def _transfer(one: Shown) -> Shown:
    return {
        "externalId": one["BankTransferID"],
        "datedOn": one["DateString"][:10],
        "amount": digits(one["Amount"]),
        "fromAccount": {"externalId": one["FromBankAccount"]["AccountID"]},
        "toAccount": {"externalId": one["ToBankAccount"]["AccountID"]},
    }


def _journal(one: Shown) -> Shown:
    return {
        "externalId": one["ManualJournalID"],
        "narration": one["Narration"],
        "datedOn": one["DateString"][:10],
        "status": one["Status"],
        "active": one["Status"] not in ("VOIDED", "ARCHIVED"),
        "lines": [
            {"amount": digits(line["LineAmount"]), "accountCode": line.get("AccountCode")}
            for line in one["JournalLines"]
        ],
    }


def _contact_ref(one: Shown) -> Shown | None:
    contact = one.get("Contact")
    return contact and {"externalId": contact["ContactID"], "name": contact["Name"]}


def _allocations(one: Shown) -> list[Shown]:
    return [
        {"documentId": part["Invoice"]["InvoiceID"], "amount": digits(part["Amount"])}
        for part in one.get("Allocations", ())
    ]


def _day(written: str) -> str:
    return datetime.fromtimestamp(int(written[6:-7]) / 1000, UTC).date().isoformat()


def digits(number: Decimal | None) -> str | None:
    """As the scalar Decimal writes an amount."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
