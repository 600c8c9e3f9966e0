"""A provider whose every page is said beforehand, and a client whose books are read from it in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias
from unittest.mock import patch

import httpx

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books, Pretend
from tieline import host
from tieline.connections.repository import Connection
from tieline.ids import OrganisationId, RunId
from tieline.plugins import (
    Feed,
    FeedKind,
    OrganisationDetails,
    Page,
    Product,
    Reached,
    Record,
    Registry,
    Session,
    SetAside,
)
from tieline.sync import slices
from tieline.sync.runs import Run
from tieline.sync.scheduling import queue_due
from tieline.sync.service import get_run, sync
from tieline.work import Again

ACCOUNTS = Feed(
    name="accounts", datasets=("accounts", "codes"), kind=FeedKind.CHANGES, every=timedelta(hours=1)
)
RATES = Feed(name="rates", datasets=("rates", "groups"), kind=FeedKind.SNAPSHOT, every=timedelta(hours=1))
INVOICES = Feed(name="invoices", datasets=("invoices",), kind=FeedKind.CHANGES, every=timedelta(hours=1))

Answer: TypeAlias = "Page | BaseException | Callable[[], Awaitable[Page]]"


def record(external_id: str, dataset: str = "accounts", **changes: Any) -> Record:
    made = Record(
        dataset=dataset,
        external_id=external_id,
        name=f"Name {external_id}",
        code=None,
        active=True,
        updated_at=None,
        data={"id": external_id},
    )
    return replace(made, **changes)


def page(
    *records: Record,
    cursor: str | None = None,
    last: bool | None = None,
    set_aside: Sequence[SetAside] = (),
    gone: Sequence[tuple[str, str]] = (),
) -> Page:
    """The last one unless there is a cursor to go on from."""
    return Page(
        records=records,
        set_aside=tuple(set_aside),
        gone=tuple(gone),
        cursor=cursor,
        last=cursor is None if last is None else last,
    )


def empty() -> Page:
    return page(cursor="end", last=True)


class Script(Pretend):
    """What it answers stands in `answers` by feed and cursor; what is not said is an empty last page.

    A list is used up one by one, its last answer for ever. `asked` is what was asked for. `reached` are the
    organisations that it names by their provider's ids; None for an outage. `sizes` are the pages that it asked for,
    where it asks for a page `of` so many records.
    """

    def __init__(self) -> None:
        super().__init__("pretend")
        feeds = {BOOKKEEPING: (ACCOUNTS, RATES), DATA_HEALTH: (ACCOUNTS, INVOICES)}
        self.info = replace(self.info, feeds=feeds)
        self.answers: dict[tuple[str, str | None], Answer | list[Answer]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.reached: Sequence[str] | BaseException = ()
        self.opens: BaseException | None = None
        self.calls_a_page = 1
        self.of: int | None = None
        self.sizes: list[int] = []
        self.closed = 0

    def answer(self, feed: str, cursor: str | None) -> Answer:
        said = self.answers.get((feed, cursor), empty())
        if isinstance(said, list):
            return said.pop(0) if len(said) > 1 else said[0]
        return said

    async def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        try:
            while True:
                session.calls += self.calls_a_page
                if self.of is not None:
                    self.sizes.append(session.page_size(self.of))
                self.asked.append((feed.name, cursor))
                said = self.answer(feed.name, cursor)
                if isinstance(said, BaseException):
                    raise said
                answered = said if isinstance(said, Page) else await said()
                yield answered
                if answered.last:
                    return
                cursor = answered.cursor
        finally:
            self.closed += 1

    async def organisations(self, session: Session, consent: object) -> Sequence[Reached]:
        del session, consent
        if isinstance(self.reached, BaseException):
            raise self.reached
        return [Reached(external_id=each, name=each, consented=False) for each in self.reached]

    async def organisation(self, session: Session) -> OrganisationDetails:
        if self.opens is not None:
            raise self.opens
        return OrganisationDetails(
            name=str(session.organisation),
            legal_name=None,
            country=None,
            currency=None,
            tax_number=None,
            registration_number=None,
            timezone=None,
        )

    def remaining(self, response: httpx.Response) -> Sequence[Any]:
        del response
        return ()


def every(
    script: Script, *, accounts: timedelta = timedelta(hours=1), rates: timedelta = timedelta(hours=1)
) -> None:
    """How often its feeds ask to be read."""
    feeds = (replace(ACCOUNTS, every=accounts), replace(RATES, every=rates))
    script.info = replace(script.info, feeds={**script.info.feeds, BOOKKEEPING: feeds})


@contextmanager
def scripted(script: Script) -> Any:
    """This process has this provider and no other."""
    before = host.host()
    host.install(replace(before, registry=Registry.of(script)))
    try:
        yield
    finally:
        host.install(before)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A client that is connected to one organisation, whose first run is queued."""

    books: Books
    script: Script
    connection: Connection
    organisation_id: OrganisationId
    external_id: str
    first: RunId

    async def slice(self, run_id: RunId | None = None, *, seconds: float = 30.0) -> Again | None:
        return await slices.work_slice(self.books.practice_id, run_id or self.first, seconds=seconds)

    async def run(self, run_id: RunId | None = None) -> Run:
        return await get_run(self.books.admin, run_id or self.first)

    async def again(self) -> Run:
        """Another sync, asked for by the admin and worked in one slice: what came of it."""
        queued = await sync(self.books.admin, self.connection.id)
        assert await self.slice(queued.id) is None
        return await self.run(queued.id)

    async def again_in_slices(self) -> Run:
        """The same, with a slice for every page."""
        queued = await sync(self.books.admin, self.connection.id)
        while await self.slice(queued.id, seconds=0) is not None:
            pass
        return await self.run(queued.id)

    async def by_schedule(self) -> Run:
        """The run of an organisation that is due, worked in one slice: what came of it."""
        run_id = await self.queued()
        await self.slice(run_id)
        return await self.run(run_id)

    async def queued(self) -> RunId:
        """Have the organisation's run queued, which is due."""
        await queue_due()
        [run] = await self.books.runs()
        return RunId(run["id"])

    async def row(self) -> dict[str, Any]:
        return await self.books.row("sync_run", self.first)

    async def records(self, *, dead: bool = False) -> dict[tuple[str, str], dict[str, Any]]:
        """What is kept, by dataset and id; tombstones only where they are asked for."""
        rows = await self.books.sql.fetch(
            "SELECT *, data::text AS text FROM ledger_record WHERE organisation_id = $1", self.organisation_id
        )
        return {
            (row["dataset"], row["external_id"]): dict(row) | {"data": json.loads(row["text"])}
            for row in rows
            if dead or row["deleted_at"] is None
        }

    async def ids(self, dataset: str = "accounts") -> list[str]:
        return sorted(external_id for of, external_id in await self.records() if of == dataset)

    async def aside(self) -> dict[tuple[str, str], str]:
        rows = await self.books.sql.fetch(
            "SELECT dataset, external_id, why FROM record_set_aside WHERE organisation_id = $1",
            self.organisation_id,
        )
        return {(row["dataset"], row["external_id"]): row["why"] for row in rows}

    async def cursors(self) -> dict[str, str | None]:
        rows = await self.books.sql.fetch(
            "SELECT feed, cursor FROM feed_cursor WHERE organisation_id = $1", self.organisation_id
        )
        return {row["feed"]: row["cursor"] for row in rows}

    async def organisation(self) -> dict[str, Any]:
        return await self.books.row("organisation", self.organisation_id)

    async def reason(self) -> str | None:
        found: str | None = (await self.books.row("connection", self.connection.id))["reason"]
        return found


async def reading(books: Books, script: Script, *, product: Product = BOOKKEEPING) -> Reading:
    """A client's books, connected and never read."""
    organisation_id = await books.organisation("The Books")
    connection = await books.connected(await books.client("The Books"), organisation_id, product)
    [run] = await books.runs()
    await books.events()
    external_id = (await books.row("organisation", organisation_id))["external_id"]
    script.reached = [external_id]
    return Reading(
        books=books,
        script=script,
        connection=connection,
        organisation_id=organisation_id,
        external_id=external_id,
        first=run["id"],
    )


async def for_ever() -> Page:
    await asyncio.Event().wait()
    raise AssertionError


def quick_pages(seconds: float) -> Any:
    """A plugin that takes longer than this for a page is given up."""
    return patch("tieline.sync.pulling.PAGE_SECONDS", seconds)
