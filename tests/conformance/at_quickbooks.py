"""The sandbox's QuickBooks Online as the conformance kit wants a pretender."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from tests.conformance.sandboxed import CALLBACK, URL, Sandboxed, client
from tests.plugins.intuit import QUICKBOOKS
from tests.plugins.quickbooks_books import DATASET_AT_SANDBOX
from tieline.testing import App
from tieline.vault import Secret
from tieline_quickbooks.mapping import NOUNS

_ID, _SECRET = "sandbox-quickbooks", "sandbox-quickbooks-secret"
_UNLIMITED = {"concurrent": None, "second": None, "minute": None, "month": None, "retry_after": 7}


class AtQuickBooks(Sandboxed):
    """One person with one company."""

    url = f"{URL}/quickbooks"
    app = App(client_id=_ID, client_secret=Secret(_SECRET), redirect_uri=CALLBACK)
    words = ("AccountType", "AccountSubType", "Classification", "PaymentType", "Type", "GlobalTaxCalculation")

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(http)
        self.organisation = self.user = ""

    async def begin(self) -> None:
        await self.control("POST", "/reset")
        await self.control("PUT", "/quickbooks/limits", _UNLIMITED)
        await self.control("PUT", f"/quickbooks/apps/{_ID}", {"redirect_uris": [CALLBACK]})
        asked = {"companies": 1, "seed": "kit", "records": {"bills": 40, "purchases": 8, "invoices": 8}}
        made = await self.control("POST", "/quickbooks/populate", asked)
        self.user, self.organisation = made["user_id"], made["companies"][0]["realm_id"]

    async def consent(self, authorization_url: str) -> str:
        return await self.decide(authorization_url, {"user": self.user, "company": self.organisation})

    async def expire(self) -> None:
        await self.advance(QUICKBOOKS.oauth.access_life + timedelta(minutes=1))

    async def revoke(self) -> None:
        await self.control("POST", "/quickbooks/revoke", {"user": self.user, "realm": self.organisation})

    async def throttle(self, limit: str, seconds: int) -> None:
        """Intuit says the same over any of its limits."""
        del limit
        await self.plant("quickbooks", {"kind": "throttle", "retry_after": seconds})

    async def books(self) -> Mapping[str, list[str]]:
        truth = await self.control("GET", f"/quickbooks/companies/{self.organisation}/books")
        found = {
            "organisation": [self.organisation],
            "tax_rates": [one["Id"] for one in truth["tax_codes"]],
        }
        for noun in NOUNS:
            ids = [noun.id_of(one["Id"]) for one in truth[DATASET_AT_SANDBOX[noun.entity]]]
            found.setdefault(noun.dataset, []).extend(ids)
        return found

    async def add(self, dataset: str) -> str | None:
        return await self._edit(dataset, create={})

    async def change(self, dataset: str) -> str | None:
        return await self._edit(dataset, id=await self._first(dataset), change={"PrivateNote": "Altered"})

    async def delete(self, dataset: str) -> str | None:
        """Entries of lists can only be made inactive."""
        noun = next((one for one in NOUNS if one.dataset == dataset), None)
        if noun is None or noun.is_list:
            return None
        return await self._edit(dataset, id=await self._first(dataset), deleted=True)

    async def _first(self, dataset: str) -> str:
        ids = (await self.books())[dataset]
        return ids[0].rpartition("-")[2]

    async def _edit(self, dataset: str, **how: Any) -> str | None:
        noun = next((one for one in NOUNS if one.dataset == dataset), None)
        if noun is None:
            return None
        path = f"/quickbooks/companies/{self.organisation}/records"
        made = await self.control("POST", path, {"dataset": DATASET_AT_SANDBOX[noun.entity], **how})
        return noun.id_of(made["record"]["Id"])


@asynccontextmanager
async def pretending() -> AsyncIterator[AtQuickBooks]:
    async with client() as http:
        made = AtQuickBooks(http)
        await made.begin()
        yield made
