"""Reading books at the pretended Intuit of the sandbox as the core does: page by page, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.plugins.intuit import FEEDS, QUICKBOOKS, Kept
from tieline.plugins import FreeGate, Page, Session
from tieline.vault import Secret
from tieline_quickbooks.mapping import NOUNS

CALLBACK = "http://localhost:8000/callback"
DATASET_AT_SANDBOX = {
    "Account": "accounts",
    "Vendor": "vendors",
    "Customer": "customers",
    "Class": "classes",
    "Department": "departments",
    "Term": "terms",
    "PaymentMethod": "payment_methods",
    "Item": "items",
    "Bill": "bills",
    "VendorCredit": "vendor_credits",
    "BillPayment": "bill_payments",
    "Purchase": "purchases",
    "Invoice": "invoices",
    "CreditMemo": "credit_memos",
    "SalesReceipt": "sales_receipts",
    "Payment": "payments",
    "Deposit": "deposits",
    "Transfer": "transfers",
    "JournalEntry": "journal_entries",
}
_CLIENT = ("sandbox-quickbooks", "sandbox-quickbooks-secret")


@dataclass(frozen=True, kw_only=True)
class _Token:
    access_token: str

    async def access(self) -> Secret:
        return Secret(self.access_token)

    async def renewed(self, stale: Secret) -> Secret:
        raise AssertionError(f"{stale} does not expire within a test")


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The sandbox's side of QuickBooks; `http` has its address."""

    http: httpx.AsyncClient

    async def control(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.control("GET", "/clock"))["now"])

    async def move(self, by: timedelta) -> None:
        await self.control("POST", "/clock", {"advance_seconds": by.total_seconds()})

    async def connect(self, realm: str, user: str) -> str:
        """Consent and exchange: the access token."""
        asked = {
            "response_type": "code",
            "client_id": _CLIENT[0],
            "redirect_uri": CALLBACK,
            "scope": " ".join(QUICKBOOKS.oauth.scopes_for(QUICKBOOKS.info.products)),
            "state": "s",
        }
        form = {"user": user, "company": realm, "decision": "allow"}
        back = await self.http.post("/quickbooks/connect/oauth2", params=asked, data=form)
        assert back.status_code == 302, back.text
        [code] = parse_qs(urlsplit(back.headers["location"]).query)["code"]
        exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        answer = await self.http.post("/quickbooks/oauth2/v1/tokens/bearer", data=exchange, auth=_CLIENT)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


@dataclass
class Books:
    """One company at the sandbox, and what is kept of it."""

    sandbox: Sandbox
    realm: str
    user: str
    client: httpx.AsyncClient
    kept: Kept

    async def again(self) -> list[str]:
        """Read the changes to their end: what was asked for that."""
        before = await self._last()
        await self.renew()
        await self.kept.read()
        return await self.calls(after=before)

    async def snapshot(self, feed: str) -> tuple[Page, list[str]]:
        before = await self._last()
        await self.renew()
        [page] = [one async for one in QUICKBOOKS.pull(self.kept.session, FEEDS[feed], None)]
        return page, await self.calls(after=before)

    async def renew(self) -> None:
        """A session with a token that lasts, and the sandbox's time."""
        token, now = await self.sandbox.connect(self.realm, self.user), await self.sandbox.now()
        url = str(self.sandbox.http.base_url).rstrip("/")
        self.kept.session = Session(
            client=self.client,
            provider=QUICKBOOKS,
            endpoints=QUICKBOOKS.oauth.endpoints.moved_to(f"{url}/quickbooks"),
            tokens=_Token(access_token=token),
            gate=FreeGate("quickbooks", lambda: now),
            subject=self.realm,
            organisation=self.realm,
            now=lambda: now,
            seconds=60,
        )

    async def edit(self, dataset: str, **how: Any) -> dict[str, Any]:
        path = f"/quickbooks/companies/{self.realm}/records"
        made = await self.sandbox.control("POST", path, {"dataset": dataset, **how})
        record: dict[str, Any] = made["record"]
        return record

    async def calls(self, *, after: int) -> list[str]:
        """The last word of each path that was asked in this company's books."""
        answer = await self.sandbox.http.get(
            "/_control/log", params={"organisation": self.realm, "after": after}
        )
        return [
            entry["path"].split("/")[5]
            for entry in answer.json()["entries"]
            if entry["path"].startswith("/quickbooks/v3/")
        ]

    async def truth(self) -> dict[str, Any]:
        books: dict[str, Any] = await self.sandbox.control("GET", f"/quickbooks/companies/{self.realm}/books")
        return books

    async def assert_whole(self) -> None:
        truth = await self.truth()
        wanted = {
            (noun.dataset, noun.id_of(one["Id"]))
            for noun in NOUNS
            for one in truth[DATASET_AT_SANDBOX[noun.entity]]
        }
        assert set(self.kept.records) == wanted
        assert self.kept.set_aside == []

    async def _last(self) -> int:
        answer = await self.sandbox.http.get("/_control/log")
        last: int = answer.json()["last"]
        return last


@asynccontextmanager
async def opened(sandbox: Sandbox, **records: int) -> AsyncIterator[Books]:
    """A new company with so many records, connected."""
    unlimited = {"concurrent": None, "second": None, "minute": None, "month": None}
    await sandbox.control("PUT", "/quickbooks/limits", unlimited)
    await sandbox.control("PUT", f"/quickbooks/apps/{_CLIENT[0]}", {"redirect_uris": [CALLBACK]})
    asked = {"companies": 1, "seed": "books", "records": records}
    made = await sandbox.control("POST", "/quickbooks/populate", asked)
    [company] = made["companies"]
    async with httpx.AsyncClient(trust_env=False) as client:
        unread: Any = None  # the session comes with the first reading
        kept = Kept(session=unread)
        yield Books(
            sandbox=sandbox, realm=company["realm_id"], user=made["user_id"], client=client, kept=kept
        )
