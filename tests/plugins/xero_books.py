"""Reading books at the pretended Xero as the core does: page by page, each stored before the next is asked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests.sandbox.xero import Xero as Sandbox
from tieline.plugins import Feed, FreeGate, Product, Session
from tieline.plugins.pull import Page, Record, SetAside
from tieline.vault import Secret
from tieline_xero import Xero

XERO = Xero()
FEEDS = {feed.name: feed for feed in XERO.info.feeds[Product.DATA_HEALTH]}
DATASETS = [dataset for feed in FEEDS.values() for dataset in feed.datasets]
UNLIMITED = {"minute": None, "concurrent": None, "app_minute": None, "day": None}
_LINE = ("Quantity", "UnitAmount", "LineAmount", "TaxAmount")
_LINE_HERE = ("quantity", "unit_amount", "amount", "tax_amount")
_SUMS = ("SubTotal", "TotalTax", "Total", "AmountPaid", "AmountDue", "CurrencyRate")
_SUMS_HERE = ("subtotal", "tax", "total", "paid", "due", "currency_rate")


@dataclass(frozen=True, kw_only=True)
class Token:
    access_token: str

    async def access(self) -> Secret:
        return Secret(self.access_token)

    async def renewed(self, stale: Secret) -> Secret:
        raise AssertionError(f"{stale} does not expire within a test")


@dataclass(frozen=True, kw_only=True)
class Books:
    """One organisation at the sandbox, and a session that reads it."""

    sandbox: Sandbox
    session: Session
    tenant: str

    async def pages(self, feed: str, cursor: str | None = None) -> AsyncIterator[Page]:
        async for page in pull(self.session, FEEDS[feed], cursor):
            yield page

    async def truth(self) -> dict[str, list[dict[str, Any]]]:
        """What the organisation holds now, by dataset, numbers as they stand in the JSON."""
        answer = await self.sandbox.http.get(f"/_control/organisations/{self.tenant}/books")
        books: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        documents = books.pop("invoices")
        return {
            **books,
            "organisation": [books["organisation"]],
            "invoices": [one for one in documents if one["Type"] == "ACCREC"],
            "bills": [one for one in documents if one["Type"] == "ACCPAY"],
        }

    async def edit(self, dataset: str, **how: Any) -> dict[str, Any]:
        made = await self.sandbox.control(
            "POST", f"/organisations/{self.tenant}/records", {"dataset": dataset, **how}
        )
        record: dict[str, Any] = made["record"]
        return record

    async def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """What was asked of this organisation's books since; `resource` is the last word of the path."""
        entries = await self.sandbox.log(organisation=self.tenant, after=after)
        return [
            entry | {"resource": entry["path"].rpartition("/")[2]}
            for entry in entries
            if "/api.xro/2.0/" in entry["path"]
        ]

    async def last_call(self) -> int:
        answer = await self.sandbox.http.get("/_control/log")
        last: int = answer.json()["last"]
        return last


@dataclass
class Kept:
    """What a core that stores every page would hold, and the cursor of each feed."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)
    set_aside: list[SetAside] = field(default_factory=list)
    cursors: dict[str, str | None] = field(default_factory=dict)

    def store(self, feed: str, page: Page) -> None:
        for record in page.records:
            self.records[record.dataset, record.external_id] = record
            self.gone.discard((record.dataset, record.external_id))
        for key in page.gone:
            self.records.pop(key, None)
            self.gone.add(key)
        self.set_aside += page.set_aside
        self.cursors[feed] = page.cursor

    async def read(self, books: Books, *feeds: str) -> list[Page]:
        """Each feed to its end, from where it was."""
        pages = []
        for feed in feeds or FEEDS:
            async for page in books.pages(feed, self.cursors.get(feed)):
                self.store(feed, page)
                pages.append(page)
        return pages

    def ids(self, dataset: str) -> list[str]:
        return sorted(external_id for held, external_id in self.records if held == dataset)

    def sums(self, dataset: str) -> Counter[tuple[Any, ...]]:
        found = (record.data for (held, _), record in self.records.items() if held == dataset)
        return Counter(_sums_here(data) for data in found)


def pull(session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
    return XERO.pull(session, feed, cursor)


def ids_of(dataset: str, records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of those that are not deleted."""
    field = {
        "organisation": "OrganisationID",
        "accounts": "AccountID",
        "tax_rates": "TaxType",
        "tracking_categories": "TrackingCategoryID",
        "contacts": "ContactID",
        "invoices": "InvoiceID",
        "bills": "InvoiceID",
        "bank_transactions": "BankTransactionID",
    }[dataset]
    return sorted(
        one[field] if dataset == "tax_rates" else one[field].lower()
        for one in records
        if one.get("Status") != "DELETED"
    )


def sums_of(records: Iterable[Mapping[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Every amount of every document that is not deleted."""
    return Counter(
        (
            one["Date"] if one.get("DateString") is None else one["DateString"][:10],
            *(_number(one.get(field)) for field in _SUMS),
            tuple(tuple(_number(line.get(field)) for field in _LINE) for line in one["LineItems"]),
        )
        for one in records
        if one["Status"] != "DELETED"
    )


@asynccontextmanager
async def opened(sandbox: Sandbox, **records: int) -> AsyncIterator[Books]:
    """A new organisation with so many records, connected."""
    await sandbox.control("PUT", "/limits", UNLIMITED)
    person = await sandbox.populate(organisations=1, records=records)
    async with connected(sandbox, person.tenants[0], person) as books:
        yield books


@asynccontextmanager
async def connected(sandbox: Sandbox, tenant: str, person: Any) -> AsyncIterator[Books]:
    pair = await sandbox.connect(person, tenant)
    async with httpx.AsyncClient(trust_env=False) as client:
        session = Session(
            client=client,
            provider=XERO,
            endpoints=XERO.oauth.endpoints.moved_to(f"{str(sandbox.http.base_url).rstrip('/')}/xero"),
            tokens=Token(access_token=pair["access_token"]),
            gate=FreeGate("xero", lambda: datetime.now(UTC)),
            subject=person.id,
            organisation=tenant,
            now=lambda: datetime.now(UTC),
            sleep=_at_once,
            seconds=60,
        )
        yield Books(sandbox=sandbox, session=session, tenant=tenant)


def multiply(state: Path, tenant: str, number: int) -> None:
    """In a sandbox's file: the organisation's one new contact so many times, all changed in the same instant."""
    saved = json.loads(state.read_text())
    contacts = saved["xero"]["edits"][tenant]["contacts"]
    (one,) = contacts.values()
    ids = [str(UUID(int=n + 1)) for n in range(number)]
    fields = [json.dumps({"ContactID": id_, "Name": f"Contact {id_[-4:]}"}) for id_ in ids]
    saved["xero"]["edits"][tenant]["contacts"] = {
        id_: one | {"id": id_, "number": n, "fields": fields[n]} for n, id_ in enumerate(ids)
    }
    state.write_text(json.dumps(saved))


async def first_pages(books: Books, feed: str, kept: Kept, *, pages: int) -> None:
    """Store so many pages, then be killed."""
    reading_on = books.pages(feed, kept.cursors.get(feed))
    with suppress(StopAsyncIteration):
        for _ in range(pages):
            kept.store(feed, await anext(reading_on))
    await reading_on.aclose()  # type: ignore[attr-defined]


async def _at_once(_seconds: float) -> None:
    return


def _sums_here(data: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        data["dated_on"],
        *(_number(data.get(field)) for field in _SUMS_HERE),
        tuple(tuple(_number(line[field]) for field in _LINE_HERE) for line in data["lines"]),
    )


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
