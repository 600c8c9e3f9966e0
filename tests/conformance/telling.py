"""The sandbox's webhooks as the conformance kit wants them told: shown by the control API, not posted."""

from __future__ import annotations

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from typing import Any

from tests.conformance.sandboxed import Sandboxed
from tests.plugins.quickbooks_books import DATASET_AT_SANDBOX
from tieline.vault import Secret
from tieline_quickbooks.mapping import NOUNS

_NOWHERE = "http://localhost:9/webhooks"
_XERO: dict[str, tuple[str, dict[str, str]]] = {
    "contacts": ("contacts", {"Name": "New"}),
    "invoices": ("invoices", {"Type": "ACCREC"}),
    "bills": ("invoices", {"Type": "ACCPAY"}),
    "credit_notes": ("credit_notes", {"Type": "ACCRECCREDIT"}),
    "supplier_credit_notes": ("credit_notes", {"Type": "ACCPAYCREDIT"}),
}
_INTUIT = {noun.dataset: DATASET_AT_SANDBOX[noun.entity] for noun in NOUNS}


class Telling(Sandboxed, ABC):
    """A provider of the sandbox that tells one app of one organisation."""

    organisation: str
    webhook_secret: Secret
    header: str
    at: str

    def signed(self, body: bytes) -> dict[str, str]:
        digest = hmac.new(self.webhook_secret.reveal().encode(), body, hashlib.sha256).digest()
        return {self.header: base64.b64encode(digest).decode()}

    async def tell(self, dataset: str) -> bytes | None:
        await self.control("PUT", self.at, {"webhook_url": _NOWHERE})
        if not await self.alter(dataset):
            return None
        shown = await self.control("POST", f"{self.at}/webhooks", {"send": False})
        body: str = shown["letters"][0]["body"]
        return body.encode()

    @abstractmethod
    async def alter(self, dataset: str) -> bool:
        """Whether the provider tells of such records; then there is another one."""


class TellingXero(Telling):
    """Xero's part."""

    header = "x-xero-signature"
    webhook_secret = Secret("sandbox-xero-webhook-key")
    at = "/apps/sandbox-xero"

    async def alter(self, dataset: str) -> bool:
        if dataset not in _XERO:
            return False
        name, fields = _XERO[dataset]
        edit: dict[str, Any] = {"dataset": name, "create": fields}
        await self.control("POST", f"/organisations/{self.organisation}/records", edit)
        return True


class TellingIntuit(Telling):
    """Intuit's part."""

    header = "intuit-signature"
    webhook_secret = Secret("sandbox-quickbooks-verifier")
    at = "/quickbooks/apps/sandbox-quickbooks"

    async def alter(self, dataset: str) -> bool:
        if dataset not in _INTUIT:
            return False
        edit: dict[str, Any] = {"dataset": _INTUIT[dataset], "create": {}}
        await self.control("POST", f"/quickbooks/companies/{self.organisation}/records", edit)
        return True
