"""The sandbox's QuickBooks Online as the conformance kit wants a pretender."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from tests.conformance.sandboxed import CALLBACK, URL, client
from tests.conformance.telling import TellingIntuit
from tests.plugins.intuit import QUICKBOOKS
from tests.plugins.quickbooks_books import DATASET_AT_SANDBOX
from tieline.testing import App
from tieline.vault import Secret
from tieline_quickbooks.mapping import NOUNS, Noun

_ID, _SECRET = "sandbox-quickbooks", "sandbox-quickbooks-secret"
_TAXES = {"tax_rates": "tax_codes", "tax_agencies": "tax_agencies"}
_NAMES = dict.fromkeys(("Name", "FullyQualifiedName", "DisplayName"), "Altered")
_ALTERED = _NAMES | {"TxnDate": "2025-12-31"}
_ALWAYS_ONE = {"organisation", "preferences"}
_UNLIMITED = {"concurrent": None, "second": None, "minute": None, "month": None, "retry_after": 7}


class AtQuickBooks(TellingIntuit):
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

    async def forget(self) -> None:
        """Changes are told for thirty days."""
        await self.advance(timedelta(days=31))

    async def revoke(self) -> None:
        await self.control("POST", "/quickbooks/revoke", {"user": self.user, "realm": self.organisation})

    async def throttle(self, limit: str, seconds: int) -> None:
        """Intuit says the same over any of its limits."""
        del limit
        await self.plant("quickbooks", {"kind": "throttle", "retry_after": seconds})

    async def books(self) -> Mapping[str, list[str]]:
        truth = await self.control("GET", f"/quickbooks/companies/{self.organisation}/books")
        found = {"organisation": [self.organisation], "preferences": [self.organisation]}
        for dataset, name in _TAXES.items():
            found[dataset] = [one["Id"] for one in truth[name]]
        for noun in NOUNS:
            ids = [noun.id_of(one["Id"]) for one in truth[DATASET_AT_SANDBOX[noun.entity]]]
            found.setdefault(noun.dataset, []).extend(ids)
        return found

    async def add(self, dataset: str) -> str | None:
        return None if dataset in _ALWAYS_ONE else await self._edit(dataset, create={})

    async def change(self, dataset: str) -> str | None:
        """The company and its preferences are no records of the sandbox's that could be edited."""
        if dataset in _ALWAYS_ONE:
            return None
        return await self._edit(dataset, id=await self._first(dataset), change=_ALTERED)

    async def archive(self, dataset: str) -> str | None:
        """Transactions are never inactive, and taxes not by the control API."""
        noun = _noun(dataset)
        if noun is None or not noun.is_list:
            return None
        return await self._edit(dataset, id=await self._first(dataset), deactivated=True)

    async def delete(self, dataset: str) -> str | None:
        """Entries of lists can only be made inactive."""
        noun = _noun(dataset)
        if noun is None or noun.is_list:
            return None
        return await self._edit(dataset, id=await self._first(dataset), deleted=True)

    async def _first(self, dataset: str) -> str:
        ids = (await self.books())[dataset]
        return ids[0].rpartition("-")[2]

    async def _edit(self, dataset: str, **how: Any) -> str:
        noun = _noun(dataset)
        name = DATASET_AT_SANDBOX[noun.entity] if noun else _TAXES[dataset]
        path = f"/quickbooks/companies/{self.organisation}/records"
        id_: str = (await self.control("POST", path, {"dataset": name, **how}))["record"]["Id"]
        return noun.id_of(id_) if noun else id_


def _noun(dataset: str) -> Noun | None:
    return next((one for one in NOUNS if one.dataset == dataset), None)


@asynccontextmanager
async def pretending() -> AsyncIterator[AtQuickBooks]:
    async with client() as http:
        made = AtQuickBooks(http)
        await made.begin()
        yield made
