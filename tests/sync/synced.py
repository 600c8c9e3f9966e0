"""A client whose books are at the sandbox, and what our copy of them should be."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from tests.sign_ins.desk import Desk
from tests.support.jobs import calendar
from tests.support.sandbox import Books, Person, Sandbox
from tieline.clients.service import NewClient, create_client
from tieline.connections.repository import Connection
from tieline.connections.service import connect
from tieline.ids import OrganisationId, RunId
from tieline.plugins import Product, Record
from tieline.sign_ins.service import complete_sign_in
from tieline.sync.runs import Run, RunState
from tieline.sync.service import get_run, list_runs, sync
from tieline.sync.slices import work_slice
from tieline.work import Again
from tieline_xero import mapping

BOTH = (Product.BOOKKEEPING, Product.DATA_HEALTH)
SMALL = {"accounts": 20, "contacts": 30, "invoices": 40, "bank_transactions": 20}
PAGES = {"accounts": 20, "contacts": 1_500, "invoices": 1_200, "payments": 40, "bank_transactions": 40}
FEEDS = 16

Kept: TypeAlias = dict[tuple[str, str], Any]


@dataclass(frozen=True, kw_only=True)
class Synced:
    """One client, connected for everything that is read."""

    desk: Desk
    at_provider: Books
    person: Person
    organisation_id: OrganisationId
    connection: Connection
    first: RunId

    async def run(self, run_id: RunId | None = None) -> Run:
        return await get_run(self.desk.admin, run_id or self.first)

    async def slice(self, run_id: RunId | None = None, *, seconds: float = 30.0) -> Again | None:
        return await work_slice(self.desk.practice_id, run_id or self.first, seconds=seconds)

    async def finish(self, run_id: RunId | None = None) -> Run:
        """Work the run to its end, moving both clocks on over its pauses."""
        while (again := await self.slice(run_id)) is not None:
            await self.move(max(again.at - await calendar(), timedelta(0)) + timedelta(seconds=1))
        return await self.run(run_id)

    async def again(self) -> Run:
        return await self.finish((await sync(self.desk.admin, self.connection.id)).id)

    async def runs(self) -> list[Run]:
        return list((await list_runs(self.desk.admin, self.connection.id)).rows)

    async def move(self, by: timedelta) -> None:
        await self.desk.move(by)
        await self.desk.sandbox.move_clock(by.total_seconds())

    async def kept(self) -> Kept:
        """Our copy, by dataset and id."""
        rows = await self.desk.above.fetch(
            "SELECT dataset, external_id, active, data::text AS data FROM ledger_record "
            "WHERE organisation_id = $1 AND deleted_at IS NULL",
            self.organisation_id,
        )
        return {
            (row["dataset"], row["external_id"]): (row["active"], json.loads(row["data"])) for row in rows
        }

    async def truth(self) -> Kept:
        """What it should be: everything that the provider holds and that can be read."""
        return await truth_of(self.desk.sandbox, self.at_provider.tenant_id)

    async def calls(self) -> list[dict[str, Any]]:
        """What was asked of these books, in order; `asked` is what makes two calls the same one."""
        entries = (await self.desk.sandbox.control("GET", "/log", organisation=self.at_provider.tenant_id))[
            "entries"
        ]
        return [
            entry
            | {
                "resource": entry["path"].rpartition("/")[2],
                "asked": (
                    entry["path"],
                    entry["query"],
                    entry["headers"].get("If-Modified-Since", entry["headers"].get("if-modified-since")),
                ),
            }
            for entry in entries
            if "/api.xro/2.0/" in entry["path"]
        ]

    async def edit(self, dataset: str, **how: Any) -> dict[str, Any]:
        made = await self.desk.sandbox.control("POST", f"{self._path}/records", {"dataset": dataset, **how})
        record: dict[str, Any] = made["record"]
        return record

    async def leave(self, calls: int) -> None:
        """So many calls are left of the organisation's day."""
        await self.desk.sandbox.control("PUT", self._path, {"day_remaining": calls})

    @property
    def _path(self) -> str:
        return f"/organisations/{self.at_provider.tenant_id}"


async def truth_of(sandbox: Sandbox, tenant_id: str) -> Kept:
    """What our copy of an organisation's books should be."""
    answer = await sandbox.http.get(f"{sandbox.url}/_control/organisations/{tenant_id}/books")
    books: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
    books["organisation"] = [books["organisation"]]
    books["journals"] = books.pop("manual_journals")
    listed = [(mapping.NOUNS[name], name, elements) for name, elements in books.items()]
    return as_kept(
        mapping.sorted_out(noun, element, name) for noun, name, elements in listed for element in elements
    )


def as_kept(read: Iterable[object]) -> Kept:
    """Records as our copy has them."""
    return {
        (each.dataset, each.external_id): (each.active, json.loads(json.dumps(each.data)))
        for each in read
        if isinstance(each, Record)
    }


async def connected(desk: Desk, records: dict[str, int] | None = None) -> Synced:
    """A new client, with a first run that is queued."""
    person = await desk.sandbox.populate("Ashford Bakery Ltd", records=records or SMALL)
    [at_provider] = person.organisations
    sign_in_id, proof = await desk.consented(person, products=BOTH)
    await complete_sign_in(desk.admin, sign_in_id, proof)
    organisation_id, _, _ = (await desk.found(sign_in_id))[at_provider.name]
    client = await create_client(desk.admin, NewClient(name=at_provider.name))
    connection = await connect(
        desk.admin,
        sign_in_id,
        client_id=client.id,
        product=Product.DATA_HEALTH,
        organisation_id=organisation_id,
    )
    [run] = (await list_runs(desk.admin, connection.id)).rows
    assert run.state is RunState.QUEUED
    # The details of what the sign-in found are read by a job of their own.
    await desk.above.execute("DELETE FROM job WHERE actor = 'sign_ins.fetch_details'")
    return Synced(
        desk=desk,
        at_provider=at_provider,
        person=person,
        organisation_id=organisation_id,
        connection=connection,
        first=run.id,
    )
