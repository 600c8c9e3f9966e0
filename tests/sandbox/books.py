"""One organisation's books, as an app and as the control API see them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.sandbox.xero import Xero

Records = list[dict[str, Any]]
PAGED = {
    "Contacts": "contacts",
    "Invoices": "invoices",
    "CreditNotes": "credit_notes",
    "Payments": "payments",
    "Prepayments": "prepayments",
    "Overpayments": "overpayments",
    "BankTransactions": "bank_transactions",
    "ManualJournals": "manual_journals",
}
ID_FIELDS = {resource: f"{resource[:-1]}ID" for resource in (*PAGED, "Items", "BankTransfers")}


@dataclass(frozen=True, kw_only=True)
class Books:
    """One organisation's books, seen by an app that is connected to it."""

    xero: Xero
    tenant: str
    access_token: str

    async def read(self, resource: str, *, since: str | None = None, **query: Any) -> Any:
        headers: Any = {"If-Modified-Since": since} if since else {}
        answer = await self.xero.read(self.access_token, self.tenant, resource, headers=headers, **query)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    async def ids(self, resource: str, *, since: str | None = None, **query: Any) -> list[str]:
        found = await self.read(resource, since=since, **{"page": 1, "pageSize": 1000} | query)
        return [one[ID_FIELDS[resource]] for one in found[resource]]

    async def truth(self, dataset: str) -> Records:
        answer = await self.xero.http.get(f"/_control/organisations/{self.tenant}/books")
        records: Records = json.loads(answer.text, parse_float=Decimal)[dataset]
        return records

    async def edit(self, dataset: str, **edit: Any) -> dict[str, Any]:
        path = f"/organisations/{self.tenant}/records"
        made = await self.xero.control("POST", path, {"dataset": dataset, **edit})
        record: dict[str, Any] = made["record"]
        return record


def instant(text: str) -> datetime:
    found = re.fullmatch(r"/Date\((\d+)\+0000\)/", text)
    assert found
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found[1]))
