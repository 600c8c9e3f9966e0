"""A QuickBooks company from consent to lists, over HTTP, with a real worker: whole, cheap, and honest about faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.test_sign_in_rounds import NAMES, rounds
from tests.support.deployment import Gateway
from tests.support.intuit import Company
from tests.support.jobs import JobTable
from tests.support.ledgers import Ledger
from tests.support.polling import until
from tests.support.rounds import Rounds
from tests.support.sandbox import Books
from tests.support.sockets import caller_at
from tests.support.syncing import CONNECT, SYNC, until_over

__all__ = ["rounds"]

NOTHING_CHANGED = ["companyinfo", *["query"] * 4, "cdc"]
STATE = "query($id: ID!) { connection(id: $id) { statuses reason } }"


@dataclass(frozen=True, kw_only=True)
class Synced:
    """A client whose company was read once."""

    rounds: Rounds
    gateway: Gateway
    company: Company
    connection_id: str
    clock: Callable[[timedelta], Awaitable[None]]

    async def follow(self, run_id: str) -> dict[str, Any]:
        """The run when it is over."""
        async with caller_at(self.gateway.socket, self.rounds.firm.admin.key) as socket:
            return (await until_over(socket, run_id))[-1]

    async def sync(self) -> tuple[dict[str, Any], list[str]]:
        """Hours later, but not on a day with jobs of its own, another sync, and what it asked of the books."""
        hours = timedelta(hours=2)
        await asyncio.gather(
            self.clock(hours), self.rounds.quickbooks.sandbox.move_clock(hours.total_seconds())
        )
        before = len(await self.calls())
        asked = (await self.rounds.firm.admin.ask(SYNC, id=self.connection_id))["sync"]
        assert asked["errors"] == []
        run = await self.follow(asked["run"]["id"])
        return run, (await self.calls())[before:]

    async def calls(self) -> list[str]:
        """The endpoints of all that was asked in the company's books."""
        entries = await self.rounds.quickbooks.sandbox.log(self.rounds.app, "companyinfo", "query", "cdc")
        return [entry["endpoint"] for entry in entries if entry["organisation"] == self.company.realm_id]

    async def is_quiet(self) -> bool:
        """Whether nothing but its syncs asks about the company today."""
        left = "SELECT count(*) FROM job WHERE practice_id = $1 AND actor = 'sign_ins.fetch_details'"
        return not await self.rounds.above.fetchval(left, self.rounds.firm.practice_id)

    async def edit(self, dataset: str, **how: Any) -> None:
        await self.rounds.quickbooks.edit(self.company, dataset, **how)

    async def plant(self, kind: str, **more: Any) -> None:
        """The next calls of change data capture in this company go wrong."""
        await self.rounds.quickbooks.sandbox.plant(kind, "cdc", organisation=self.company.realm_id, **more)

    async def shown(self) -> dict[str, set[str]]:
        """What the front end lists: the ids."""
        ledger = Ledger(
            caller=self.rounds.firm.admin,
            sandbox=self.rounds.quickbooks.sandbox,
            connection_id=self.connection_id,
            organisation=Books(tenant_id=self.company.realm_id, name=self.company.name),
        )
        documents = await ledger.listed("ledgerDocuments")
        lists = {name: await ledger.listed(name) for name in ("accounts", "contacts", "taxRates")}
        by_kind = {kind: [one for one in documents if one["kind"] == kind] for kind in KINDS}
        return {name: {one["externalId"] for one in found} for name, found in (lists | by_kind).items()}

    async def truth(self) -> dict[str, set[str]]:
        """What it should list, by the company's books."""
        books = await self.rounds.quickbooks.books(self.company)
        ids = {name: {one["Id"] for one in books[name]} for name in (*IN_LISTS, *KINDS.values())}
        vendors = {f"vendor-{one}" for one in ids["vendors"]}
        lists = {
            "accounts": ids["accounts"],
            "contacts": vendors | {f"customer-{one}" for one in ids["customers"]},
            "taxRates": ids["tax_codes"],
        }
        return lists | {kind: ids[dataset] for kind, dataset in KINDS.items()}


IN_LISTS = ("accounts", "vendors", "customers", "tax_codes")
KINDS = {"BILL": "bills", "INVOICE": "invoices", "BANK_TRANSACTION": "purchases"}


@pytest.fixture
async def synced(
    rounds: Rounds,
    gateway: Gateway,
    jobs: JobTable,  # noqa: ARG001 - empty
    start: Callable[..., Any],
    clock: Any,
) -> Synced:
    start("worker")
    start("scheduler")
    company = rounds.person.named(NAMES[0])
    signed_in = await rounds.completed(await rounds.start(products=["BOOKKEEPING", "DATA_HEALTH"]), company)
    given = {
        "signInId": signed_in["id"],
        "clientId": await rounds.firm.admin.create_client(company.name),
        "organisationId": (await rounds.found(signed_in["id"]))[company.name],
        "product": "DATA_HEALTH",
    }
    connection = (await rounds.firm.admin.ask(CONNECT, input=given))["connect"]["connection"]
    made = Synced(
        rounds=rounds, gateway=gateway, company=company, connection_id=connection["id"], clock=clock
    )
    assert (await made.follow(connection["lastRun"]["id"]))["state"] == "SUCCEEDED"
    await until(made.is_quiet, "the details of what was found are read")
    return made


async def test_every_list_is_what_the_company_has_and_where_nothing_changed_six_calls_say_so(
    synced: Synced,
) -> None:
    assert await synced.shown() == await synced.truth()
    books = await synced.rounds.quickbooks.books(synced.company)
    await synced.edit("bills", create={"DocNumber": "NEW"})
    await synced.edit("invoices", id=books["invoices"][0]["Id"], deleted=True)
    await synced.edit("vendors", id=books["vendors"][0]["Id"], deactivated=True)

    changed, changed_calls = await synced.sync()
    assert await synced.shown() == await synced.truth()
    unchanged, unchanged_calls = await synced.sync()

    assert (changed["state"], unchanged["state"]) == ("SUCCEEDED", "SUCCEEDED")
    assert changed_calls == unchanged_calls == NOTHING_CHANGED
    assert {each["feed"]: each["changed"] for each in changed["feeds"]}["changes"] == 3
    counted = await synced.rounds.quickbooks.control("GET", "/counters")
    company = counted["companies"][synced.company.realm_id]
    assert company["throttled"] == {}
    assert company["most_in_flight"] <= 10
    assert counted["metered_reads"][synced.rounds.app.client_id] == company["calls"]


async def test_more_changes_than_one_call_shows_are_all_found_and_what_was_deleted_with_them(
    synced: Synced,
) -> None:
    books = await synced.rounds.quickbooks.books(synced.company)
    await synced.rounds.quickbooks.sandbox.move_clock(600)
    for dataset in ("bills", "purchases"):
        await synced.edit(dataset, create={"DocNumber": "NEW"}, times=520)
    await synced.edit("invoices", id=books["invoices"][0]["Id"], deleted=True)

    run, calls = await synced.sync()

    assert run["state"] == "SUCCEEDED"
    assert calls == NOTHING_CHANGED + ["cdc"] * 19
    assert await synced.shown() == await synced.truth()
    assert (await synced.sync())[1] == NOTHING_CHANGED


IN_PASSING: list[tuple[str, dict[str, Any]]] = [
    ("html", {}),
    ("status", {"status": 503}),
    ("throttle", {"retry_after": 1}),
    ("fault", {"form": "lower", "code": "3200", "status": 401}),
    ("fault", {"form": "json", "code": "3200"}),
    ("fault", {"form": "xml", "code": "100", "status": 401}),
]


async def test_faults_that_pass_in_whatever_form_cost_a_call_and_no_change(synced: Synced) -> None:
    for number, (kind, fault) in enumerate(IN_PASSING):
        await synced.edit("bills", create={"DocNumber": f"B-{number}"})
        await synced.plant(kind, **fault)

        run, calls = await synced.sync()

        assert (run["state"], calls) == ("SUCCEEDED", [*NOTHING_CHANGED, "cdc"]), (kind, fault)
    assert await synced.shown() == await synced.truth()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"form": "json", "code": "6190"}, "SUBSCRIPTION_LAPSED"),
        ({"form": "lower", "code": "3100", "status": 403}, "ACCESS_LOST"),
    ],
    ids=["lapsed inside 200", "not for this company"],
)
async def test_faults_that_stay_expire_the_connection_with_their_reason(
    synced: Synced, fault: dict[str, Any], reason: str
) -> None:
    await synced.plant("fault", times=9, **fault)

    run, _ = await synced.sync()

    assert (run["state"], run["reason"]) == ("FAILED", reason)
    shown = (await synced.rounds.firm.admin.ask(STATE, id=synced.connection_id))["connection"]
    assert (shown["statuses"], shown["reason"]) == (["EXPIRED"], reason)


async def test_a_company_that_removed_the_app_is_told_so_and_a_new_consent_mends_it(synced: Synced) -> None:
    rounds, what = synced.rounds, "query($id: ID!) { connection(id: $id) { statuses reason remedy } }"
    await rounds.quickbooks.revoke(company=synced.company)

    asked = (await rounds.firm.admin.ask(SYNC, id=synced.connection_id))["sync"]
    run = await synced.follow(asked["run"]["id"])
    removed = (await rounds.firm.admin.ask(what, id=synced.connection_id))["connection"]
    started = await rounds.start("RECONNECT", connectionId=synced.connection_id)
    await rounds.completed(started, synced.company)
    mended = (await rounds.firm.admin.ask(what, id=synced.connection_id))["connection"]

    assert (run["state"], run["reason"]) == ("FAILED", "REVOKED_AT_PROVIDER")
    assert "sign in again" in run["message"]
    assert removed == {"statuses": ["EXPIRED"], "reason": "REVOKED_AT_PROVIDER", "remedy": "RECONNECT"}
    assert mended == {"statuses": ["CONNECTED"], "reason": None, "remedy": None}
    assert (await synced.sync())[0]["state"] == "SUCCEEDED"
