"""The sandbox's Xero as the conformance kit wants a pretender."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from tests.conformance.sandboxed import CALLBACK, URL, client
from tests.conformance.telling import TellingXero
from tests.plugins.xero_books import UNLIMITED, XERO, Books, ids_of
from tests.sandbox.xero import CLIENT_ID, SECRET
from tests.sandbox.xero import Xero as Sandbox
from tieline.testing import App
from tieline.vault import Secret

_PROBLEMS = {"app_minute": "appminute", "concurrent": "concurrent", "day": "day", "minute": "minute"}
_RECORDS = {
    "accounts": 30,
    "contacts": 40,
    "invoices": 60,
    "bank_transactions": 30,
    "items": 8,
    "credit_notes": 8,
    "bank_transfers": 8,
    "manual_journals": 8,
}
_OPEN = ("DRAFT", "SUBMITTED")
_AT_SANDBOX = {"bills": "invoices", "supplier_credit_notes": "credit_notes", "journals": "manual_journals"}
_TYPES = {
    "invoices": "ACCREC",
    "bills": "ACCPAY",
    "credit_notes": "ACCRECCREDIT",
    "supplier_credit_notes": "ACCPAYCREDIT",
}
_VOIDED = (*_TYPES, "journals")
_ALTERED = dict.fromkeys(("Name", "Description", "Reference", "Narration"), "Altered")
_ARCHIVED = ("accounts", "contacts")
_STAYING = {"organisation", "contacts", "prepayments", "overpayments"}


class AtXero(TellingXero):
    """One person with one organisation."""

    url = f"{URL}/xero"
    app = App(client_id=CLIENT_ID, client_secret=Secret(SECRET), redirect_uri=CALLBACK)
    words = ("Status", "ContactStatus", "Class", "LineAmountTypes", "CurrencyCode", "SystemAccount")

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(http)
        self.organisation = self.user = ""

    async def begin(self) -> None:
        await self.control("POST", "/reset")
        await self.control("PUT", "/limits", UNLIMITED)
        await self.control("PUT", f"/apps/{CLIENT_ID}", {"redirect_uris": [CALLBACK]})
        made = await self.control(
            "POST", "/populate", {"organisations": 1, "seed": "kit", "records": _RECORDS}
        )
        self.user, self.organisation = made["user_id"], made["organisations"][0]["tenant_id"]
        for dataset in _VOIDED:
            await self.add(dataset, Status="DRAFT")

    async def consent(self, authorization_url: str) -> str:
        return await self.decide(authorization_url, {"user": self.user, "organisation": self.organisation})

    async def expire(self) -> None:
        await self.advance(XERO.oauth.access_life + timedelta(minutes=1))

    async def revoke(self) -> None:
        await self.control("POST", "/revoke", {"user": self.user, "client_id": CLIENT_ID})

    async def throttle(self, limit: str, seconds: int) -> bool:
        await self.plant("xero", {"kind": "throttle", "problem": _PROBLEMS[limit], "retry_after": seconds})
        return True

    async def books(self) -> Mapping[str, list[str]]:
        return {dataset: ids_of(dataset, records) for dataset, records in (await self._truth()).items()}

    async def add(self, dataset: str, **more: str) -> str | None:
        if dataset == "organisation":
            return None
        kind = {"Type": _TYPES[dataset]} if dataset in _TYPES else {}
        return await self._edit(dataset, create={**kind, "Reference": "New", **more})

    async def change(self, dataset: str) -> str | None:
        ids = (await self.books())[dataset]
        return None if dataset == "organisation" else await self._edit(dataset, id=ids[0], change=_ALTERED)

    async def archive(self, dataset: str) -> str | None:
        if dataset not in _ARCHIVED:
            return None
        return await self._edit(dataset, id=(await self.books())[dataset][1], archived=True)

    async def delete(self, dataset: str) -> str | None:
        """What was approved can only be voided, as all prepayments and overpayments are; a contact only archived."""
        if dataset in _STAYING:
            return None
        ids = (await self.books())[dataset]
        if dataset in _VOIDED:
            ids = ids_of(dataset, [one for one in (await self._truth())[dataset] if one["Status"] in _OPEN])
        return await self._edit(dataset, id=ids[0], deleted=True)

    async def _edit(self, dataset: str, **how: Any) -> str:
        path = f"/organisations/{self.organisation}/records"
        wanted = {"dataset": _AT_SANDBOX.get(dataset, dataset), **how}
        record = (await self.control("POST", path, wanted))["record"]
        return ids_of(dataset, [{**record, "Status": "AUTHORISED"}])[0]

    async def _truth(self) -> dict[str, list[dict[str, Any]]]:
        unused: Any = None  # reading is the kit's
        return await Books(sandbox=Sandbox(http=self.http), session=unused, tenant=self.organisation).truth()


@asynccontextmanager
async def pretending() -> AsyncIterator[AtXero]:
    async with client() as http:
        made = AtXero(http)
        await made.begin()
        yield made
