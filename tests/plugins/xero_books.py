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
_SUMS = {"SubTotal": "subtotal", "TotalTax": "tax", "Total": "total", "CurrencyRate": "currency_rate"}
AMOUNTS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("invoices", "bills"), _SUMS | {"AmountPaid": "paid", "AmountDue": "due"}),
    **dict.fromkeys(("credit_notes", "supplier_credit_notes"), _SUMS | {"RemainingCredit": "due"}),
    **dict.fromkeys(("prepayments", "overpayments"), _SUMS | {"RemainingCredit": "unallocated"}),
    "bank_transactions": _SUMS,
    "payments": {"Amount": "total", "CurrencyRate": "currency_rate"},
    "bank_transfers": {"Amount": "amount", "CurrencyRate": "currency_rate"},
    "journals": {},
}
"""What holds money, and what each of its amounts is called here."""
_LINE = {
    "Quantity": "quantity",
    "UnitAmount": "unit_amount",
    "LineAmount": "amount",
    "TaxAmount": "tax_amount",
}
_TYPES = {
    "ACCREC": "invoices",
    "ACCPAY": "bills",
    "ACCRECCREDIT": "credit_notes",
    "ACCPAYCREDIT": "supplier_credit_notes",
}
_IDS = {
    "organisation": "OrganisationID",
    "accounts": "AccountID",
    "tax_rates": "TaxType",
    "tracking_categories": "TrackingCategoryID",
    "contacts": "ContactID",
    "items": "ItemID",
    "currencies": "Code",
    "branding_themes": "BrandingThemeID",
    "invoices": "InvoiceID",
    "bills": "InvoiceID",
    "credit_notes": "CreditNoteID",
    "supplier_credit_notes": "CreditNoteID",
    "payments": "PaymentID",
    "prepayments": "PrepaymentID",
    "overpayments": "OverpaymentID",
    "bank_transactions": "BankTransactionID",
    "bank_transfers": "BankTransferID",
    "journals": "ManualJournalID",
}


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
        return by_dataset(json.loads(answer.content, parse_float=Decimal))

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
        return Counter(_sums_here(dataset, data) for data in found)


def pull(session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
    return XERO.pull(session, feed, cursor)


def by_dataset(books: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The sandbox's books under our names: each kind of document by itself."""
    documents = [*books.pop("invoices"), *books.pop("credit_notes")]
    journals = books.pop("manual_journals")
    return {
        **books,
        "organisation": [books["organisation"]],
        "journals": journals,
        **{dataset: [one for one in documents if one["Type"] == type_] for type_, dataset in _TYPES.items()},
    }


def ids_of(dataset: str, records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of those that are not deleted."""
    field = _IDS[dataset]
    return sorted(
        one[field] if dataset in {"tax_rates", "currencies"} else one[field].lower()
        for one in records
        if one.get("Status") != "DELETED"
    )


def sums_of(dataset: str, records: Iterable[Mapping[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Every amount of every document that is not deleted."""
    return Counter(_sums_there(dataset, one) for one in records if one["Status"] != "DELETED")


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


def _sums_there(dataset: str, one: Mapping[str, Any]) -> tuple[Any, ...]:
    lines = one.get("LineItems", one.get("JournalLines", ()))
    settles = one.get("Allocations", [one] if dataset == "payments" else ())
    return (
        one["DateString"][:10] if "DateString" in one else _day(one["Date"]),
        *(_number(one.get(field)) for field in AMOUNTS[dataset]),
        tuple(tuple(_number(line.get(field)) for field in _LINE) for line in lines),
        tuple((part["Invoice"]["InvoiceID"], _number(part["Amount"])) for part in settles),
    )


def _sums_here(dataset: str, data: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        data["dated_on"],
        *(_number(data[field]) for field in AMOUNTS[dataset].values()),
        tuple(tuple(_number(line.get(field)) for field in _LINE.values()) for line in data.get("lines", ())),
        tuple((part["document_id"], _number(part["amount"])) for part in data.get("allocations", ())),
    )


def _day(written: str) -> str:
    return datetime.fromtimestamp(int(written[6:-7]) / 1000, UTC).date().isoformat()


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
