"""An app that takes webhooks, an organisation that it may tell of, and deliveries as a provider signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.support.books import Books
from tieline.credentials.apps.service import NewApp, add_app, set_webhook_secret
from tieline.ids import AppId, OrganisationId, new_id
from tieline.vault import Secret

SECRET = "what-the-provider-signs-with"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a provider signs and tells: its header, its refusal, the feed that an invoice touches."""

    provider: str
    header: str
    refusal: int
    feed: str
    invoice: Callable[[str, str], Any]


def _xero(organisation: str, mark: str) -> Any:
    event = {
        "resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/i",
        "resourceId": "i",
        "eventDateUtc": mark,
        "eventType": "UPDATE",
        "eventCategory": "INVOICE",
        "tenantId": organisation,
        "tenantType": "ORGANISATION",
    }
    return {"events": [event], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "E"}


def _intuit(organisation: str, mark: str) -> Any:
    told = {"id": mark, "type": "qbo.invoice.updated.v1", "intuitaccountid": organisation}
    return [{"specversion": "1.0", "intuitentityid": "1", "data": {}, **told}]


XERO = Way(provider="xero", header="x-xero-signature", refusal=401, feed="invoices", invoice=_xero)
INTUIT = Way(provider="quickbooks", header="intuit-signature", refusal=403, feed="changes", invoice=_intuit)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One practice's app at one provider; `external_id` is of its organisation."""

    way: Way
    books: Books
    http: httpx.AsyncClient = field(repr=False)
    app_id: AppId
    organisation_id: OrganisationId
    external_id: str

    @property
    def path(self) -> str:
        return f"/webhooks/{self.way.provider}/{self.app_id}"

    def body(self, mark: str | None = None, *, organisation: str | None = None) -> bytes:
        """That an invoice changed: an event of its own, or that of the mark."""
        told = self.way.invoice(organisation or self.external_id, mark or str(new_id()))
        return json.dumps(told).encode()

    def signed(self, body: bytes, *, secret: str = SECRET) -> dict[str, str]:
        return {self.way.header: signature(body, secret)}

    async def post(self, body: bytes, *, path: str | None = None) -> httpx.Response:
        """A delivery as the provider makes it."""
        return await self.http.post(path or self.path, content=body, headers=self.signed(body))

    async def kept(self) -> tuple[int, list[str], int]:
        """Events taken down, feeds that wait to be read, and jobs that will see to it: of the practice."""
        rows = await self.books.sql.fetch(
            "SELECT feed FROM webhook_touch WHERE practice_id = $1 ORDER BY feed", self.books.practice_id
        )
        jobs = await self.books.jobs("webhooks.sync_touched")
        return await self.books.count("webhook_event"), [row["feed"] for row in rows], len(jobs)


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@asynccontextmanager
async def desk_at(
    way: Way, books: Books, url: str, *, external_id: str | None = None, secret: str | None = SECRET
) -> AsyncIterator[Desk]:
    """The organisation serves a client; nothing of it was ever read."""
    app = await add_app(
        books.practice_id,
        NewApp(
            provider=way.provider,
            client_id=f"app-{new_id()}",
            secret=Secret("unused"),
            sandbox_url="http://localhost:9",
        ),
    )
    if secret is not None:
        await set_webhook_secret(books.practice_id, way.provider, Secret(secret))
    organisation_id = await books.organisation("The Books", provider=way.provider)
    client = await books.client("The Books")
    await books.sql.execute(
        "UPDATE organisation SET client_id = $2, external_id = coalesce($3, external_id), last_synced_at = $4 "
        "WHERE id = $1",
        organisation_id,
        client.id,
        external_id,
        datetime.now(UTC),
    )
    row = await books.row("organisation", organisation_id)
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Desk(
            way=way,
            books=books,
            http=http,
            app_id=app.id,
            organisation_id=organisation_id,
            external_id=row["external_id"],
        )
