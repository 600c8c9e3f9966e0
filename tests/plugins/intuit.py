"""A pretended Intuit within the process: books that tests change, queries, and change data capture with its limits."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx

from tests.plugins.sessions import Tokens
from tieline.errors import AnswerTooLarge
from tieline.plugins import CursorTooOld, FreeGate, Page, Product, Record, Session, SetAside
from tieline_quickbooks import QuickBooks
from tieline_quickbooks.mapping import NOUNS

REALM = "4620816365001"
QUICKBOOKS = QuickBooks()
FEEDS = {feed.name: feed for feed in QUICKBOOKS.info.feeds[Product.DATA_HEALTH]}
START = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
UNCOVERED = {"TaxCode", "TaxRate", "TaxAgency", "JournalCode", "TimeActivity"}
_PACIFIC = timezone(timedelta(hours=-8))
_STATEMENT = re.compile(
    r"SELECT (?P<what>\*|COUNT\(\*\)) FROM (?P<entity>\w+)(?: WHERE (?P<where>.*?))?(?: ORDERBY (?P<order>\S+))?"
    r"(?: STARTPOSITION (?P<start>\d+) MAXRESULTS (?P<most>\d+))?"
)
_BOUND = re.compile(r"Metadata\.LastUpdatedTime (>=|<=) '([^']+)'")


@dataclass
class Intuit:
    """One company. `meanwhile` is called after each answer; `instead` is what is answered whatever is asked."""

    now: datetime = START
    books: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    since: list[datetime] = field(default_factory=list)
    meanwhile: Callable[[], None] | None = None
    instead: dict[str, Any] | None = None

    def put(self, entity: str, id: str, *, at: datetime | None = None, **fields: Any) -> None:
        """Written now, or at another time."""
        before = self.books.setdefault(entity, {}).get(id, {})
        stamp = (at or self.now).astimezone(_PACIFIC).isoformat(timespec="seconds")
        self.books[entity][id] = {**before, "Id": id, **fields, "MetaData": {"LastUpdatedTime": stamp}}

    def fill(self, entity: str, count: int, *, at: datetime | None = None, **fields: Any) -> None:
        """So many records, an hour apart each up to yesterday, or all of one time."""
        for number in range(count):
            stamp = at or self.now - timedelta(days=1, hours=count - number)
            self.put(entity, str(len(self.books.get(entity, {})) + 1), at=stamp, **fields)

    def delete(self, entity: str, id: str) -> None:
        self.put(entity, id, status="Deleted")

    def there(self, entity: str) -> set[str]:
        return {key for key, one in self.books.get(entity, {}).items() if one.get("status") != "Deleted"}

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.params["minorversion"] == "75"
        path = request.url.path.removeprefix(f"/v3/company/{REALM}/")
        self.calls.append(path)
        told = self.instead or self._told(path, request.url.params)
        stamp = self.now.astimezone(_PACIFIC).isoformat()
        if self.meanwhile is not None:
            self.meanwhile()
        return httpx.Response(200, json={**told, "time": stamp})

    def _told(self, path: str, params: httpx.QueryParams) -> dict[str, Any]:
        if path == "cdc":
            return self._cdc(params)
        if path == "query":
            return self._query(params)
        assert path == f"companyinfo/{REALM}"
        return {"CompanyInfo": self.books["CompanyInfo"]["1"]}

    def _cdc(self, params: httpx.QueryParams) -> dict[str, Any]:
        since = datetime.fromisoformat(params["changedSince"])
        assert self.now - since <= timedelta(days=30)
        self.since.append(since)
        responses, left = [], 1000
        entities = params["entities"].split(",")
        assert not UNCOVERED & {*entities}
        for entity in entities:
            changed = [one for one in self._of(entity) if _at(one) >= since][:left]
            left -= len(changed)
            responses.append({entity: changed} if changed else {})
        return {"CDCResponse": [{"QueryResponse": responses}]}

    def _query(self, params: httpx.QueryParams) -> dict[str, Any]:
        found = _STATEMENT.fullmatch(params["query"])
        assert found is not None, params["query"]
        self.statements.append(params["query"])
        where = found["where"] or ""
        records = [one for one in self._of(found["entity"]) if one.get("status") != "Deleted"]
        if "Active IN (true, false)" not in where:
            records = [one for one in records if one.get("Active") is not False]
        for sign, bound in _BOUND.findall(where):
            limit = datetime.fromisoformat(bound)
            records = [one for one in records if (_at(one) >= limit if sign == ">=" else _at(one) <= limit)]
        if found["what"] != "*":
            return {"QueryResponse": {"totalCount": len(records)}}
        start = int(found["start"] or 1) - 1
        page = records[start : start + min(int(found["most"] or 100), 1000)]
        return {"QueryResponse": {found["entity"]: page} if page else {}}

    def _of(self, entity: str) -> list[dict[str, Any]]:
        return sorted(self.books.get(entity, {}).values(), key=lambda one: (_at(one), int(one["Id"])))


@dataclass
class Kept:
    """What a core that stores every page, of so many records at most, would hold."""

    session: Session
    most: int = 5000
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    cursor: str | None = None
    seen: set[tuple[str, str]] = field(default_factory=set)

    async def read(self, *, pages: int | None = None) -> list[Page]:
        """The changes to their end, or so many pages of them, from where they were."""
        try:
            return await self._read(pages)
        except CursorTooOld:
            assert self.cursor is not None
            self.cursor = None
            return await self._read(pages)

    async def _read(self, pages: int | None) -> list[Page]:
        """In pages of half the size, from then on, where an answer is too large."""
        if self.cursor is None:
            self.seen = set()
        self.session.halved = 0
        read: list[Page] = []
        while not read or not read[-1].last:
            try:
                await self._on(read, pages)
            except AnswerTooLarge:
                self.session.halved += 1
            if len(read) == pages:
                break
        return read

    async def _on(self, read: list[Page], pages: int | None) -> None:
        reading = QUICKBOOKS.pull(self.session, FEEDS["changes"], self.cursor)
        async for page in reading:
            if len(page.records) > self.most:
                self.session.halved += 1
                break
            self.store(page)
            read.append(page)
            if len(read) == pages:
                break
        await reading.aclose()  # type: ignore[attr-defined]

    def store(self, page: Page) -> None:
        for record in page.records:
            self.records[record.dataset, record.external_id] = record
            self.seen.add((record.dataset, record.external_id))
        for key in page.gone:
            self.records.pop(key, None)
        if page.whole:
            self.records = {key: one for key, one in self.records.items() if key in self.seen}
        self.set_aside += page.set_aside
        self.cursor = page.cursor

    def ids(self, dataset: str) -> set[str]:
        return {key for held, key in self.records if held == dataset}


@asynccontextmanager
async def reading(intuit: Intuit, *, max_bytes: int | None = None) -> AsyncIterator[Kept]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(intuit.answer)) as client:
        yield Kept(session=session_of(client, lambda: intuit.now, max_bytes=max_bytes))


def session_of(
    client: httpx.AsyncClient, now: Callable[[], datetime], *, max_bytes: int | None = None
) -> Session:
    return Session(
        client=client,
        provider=QUICKBOOKS,
        endpoints=QUICKBOOKS.oauth.endpoints,
        tokens=Tokens(),
        gate=FreeGate("quickbooks", now),
        subject=REALM,
        organisation=REALM,
        now=now,
        sleep=_at_once,
        max_bytes=max_bytes,
    )


def assert_whole(intuit: Intuit, kept: Kept) -> None:
    for noun in NOUNS:
        wanted = {noun.id_of(key) for key in intuit.there(noun.entity)}
        prefix = f"{noun.entity.lower()}-" if noun.is_contact else ""
        held = {key for key in kept.ids(noun.dataset) if key.startswith(prefix)}
        assert held == wanted, noun.entity


def parsed(text: str) -> Any:
    """As answers are: fractions as Decimal."""
    return json.loads(text, parse_float=Decimal)


def _at(one: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(one["MetaData"]["LastUpdatedTime"])


async def _at_once(_seconds: float) -> None:
    return
