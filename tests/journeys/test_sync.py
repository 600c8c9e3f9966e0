"""Syncs from the front end: asked for, followed live, read by every list, and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.deployment import Deployment, Gateway
from tests.support.firm import Caller, Firm
from tests.support.jobs import JobTable, calendar
from tests.support.ledgers import by_id
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.syncing import DISCONNECT, PROGRESS, RUN, SET_ASIDE, Connected, connected, until_over
from tieline.ids import PersonId, new_id
from tieline.names import name_key
from tieline.principal import ClientAccess, ClientRole, Permission

Start = Callable[..., Any]
ORGANISATION = """query($id: ID!) { ledgerPreferences(connectionId: $id) { termId }
  ledgerOrganisation(connectionId: $id) {
    externalId name legalName currency yearEndDay yearEndMonth } }"""
OVER = {"SUCCEEDED", "FAILED", "CANCELLED"}
FEEDS = [
    "organisation",
    "accounts",
    "tax_rates",
    "tracking_categories",
    "contacts",
    "items",
    "currencies",
    "branding_themes",
    "invoices",
    "credit_notes",
    "payments",
    "prepayments",
    "overpayments",
    "bank_transactions",
    "bank_transfers",
    "journals",
]


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


async def test_a_first_sync_is_followed_to_its_end_and_then_every_list_is_what_the_provider_has(
    client: Connected, gateway: Gateway, start: Start
) -> None:
    assert (client.run["state"], client.run["trigger"]) == ("QUEUED", "CONNECT")
    assert [each["feed"] for each in client.run["feeds"]] == FEEDS

    async with caller_at(gateway.socket, client.admin.key) as socket:
        following = asyncio.create_task(until_over(socket, client.run["id"]))
        start("worker")
        start("scheduler")
        seen = await asyncio.wait_for(following, timeout=60)

    assert seen[0]["state"] == "QUEUED" or seen[0]["startedAt"] is not None
    assert [each["state"] for each in seen if each["state"] in OVER] == ["SUCCEEDED"]
    assert seen[-1]["state"] == "SUCCEEDED"
    assert seen[-1]["finishedAt"] is not None
    assert seen[-1]["organisation"] == {"name": "Ashford Bakery Ltd"}
    assert all(each["done"] and each["pages"] >= 1 and each["calls"] >= 1 for each in seen[-1]["feeds"])
    assert await client.admin.ask(RUN, id=client.run["id"]) == {"syncRun": seen[-1]}
    shown = await client.ledger.shown(first=7)
    assert by_id(shown) == by_id(await client.ledger.truth())
    for name in ("accounts", "contacts", "taxRates", "trackingCategories", "ledgerItems", "currencies"):
        keys = [(name_key(one["name"]), one["externalId"]) for one in shown[name]]
        assert keys == sorted(keys)
    for name in ("ledgerDocuments", "payments", "bankTransfers", "journals"):
        days = [one["datedOn"] for one in shown[name]]
        assert days == sorted(days, reverse=True)
    kinds = {one["kind"] for one in shown["ledgerDocuments"]}
    assert kinds >= {"INVOICE", "BILL", "BANK_TRANSACTION"}
    assert kinds & {"CREDIT_NOTE", "SUPPLIER_CREDIT_NOTE"}
    assert {one["kind"] for one in shown["payments"]} == {"PAYMENT", "PREPAYMENT", "OVERPAYMENT"}
    told = (await client.ledger.books())["organisation"]
    assert await client.admin.ask(ORGANISATION, id=client.connection_id) == {
        "ledgerOrganisation": {
            "externalId": told["OrganisationID"],
            "name": told["Name"],
            "legalName": told["LegalName"],
            "currency": told["BaseCurrency"],
            "yearEndDay": int(told["FinancialYearEndDay"]),
            "yearEndMonth": int(told["FinancialYearEndMonth"]),
        },
        "ledgerPreferences": None,
    }


async def test_a_second_sync_brings_what_changed_and_both_stand_in_the_history(
    client: Connected, gateway: Gateway, start: Start
) -> None:
    start("worker")
    start("scheduler")
    async with caller_at(gateway.socket, client.admin.key) as socket:
        await until_over(socket, client.run["id"])
        before = await client.ledger.truth()
        contact, account = before["contacts"][0]["externalId"], before["accounts"][3]["externalId"]
        await client.trip.sandbox.move_clock(120)
        await client.ledger.edit("contacts", id=contact, change={"Name": "Zoë & Sons"})
        await client.ledger.edit("accounts", id=account, archived=True)
        await client.ledger.edit("invoices", create={"Type": "ACCPAY", "Total": 12.5})

        asked = await client.sync()
        seen = await until_over(socket, asked["run"]["id"])

    assert asked["errors"] == []
    assert (asked["run"]["trigger"], asked["run"]["state"]) == ("MANUAL", "QUEUED")
    assert seen[-1]["state"] == "SUCCEEDED"
    changed = {each["feed"]: each["changed"] for each in seen[-1]["feeds"] if each["changed"]}
    assert changed == {"contacts": 1, "accounts": 1, "invoices": 1}
    assert by_id(await client.ledger.shown()) == by_id(await client.ledger.truth())
    history = await client.history()
    assert [run["id"] for run in history["syncRuns"]["nodes"]] == [asked["run"]["id"], client.run["id"]]
    assert history["lastRun"] == {"id": asked["run"]["id"]}
    assert history["lastSyncedAt"] is not None
    first = (await client.history(first=1))["syncRuns"]
    rest = (await client.history(first=1, after=first["pageInfo"]["endCursor"]))["syncRuns"]
    assert first["nodes"] + rest["nodes"] == history["syncRuns"]["nodes"]
    assert (first["totalCount"], rest["pageInfo"]["hasNextPage"]) == (2, False)


async def test_records_that_cannot_be_read_are_told_of_with_the_reason(
    client: Connected, gateway: Gateway, start: Start
) -> None:
    bad = await client.ledger.edit("invoices", create={"Type": "ACCREC", "Date": "someday", "Total": "a lot"})
    start("worker")
    start("scheduler")

    async with caller_at(gateway.socket, client.admin.key) as socket:
        over = (await until_over(socket, client.run["id"]))[-1]

    assert (over["state"], over["setAside"]) == ("SUCCEEDED", 1)
    assert {each["feed"]: each["setAside"] for each in over["feeds"] if each["setAside"]} == {"invoices": 1}
    [told] = (await client.admin.ask(SET_ASIDE, id=client.connection_id))["recordsSetAside"]
    assert (told["dataset"], told["externalId"]) == ("invoices", bad["InvoiceID"])
    assert told["why"]
    assert over["createdAt"] <= told["at"] <= over["finishedAt"]


async def test_a_sync_that_pauses_says_until_when_and_its_subscription_goes_on_with_it(
    client: Connected, gateway: Gateway, start: Start, clock: Callable[[timedelta], Awaitable[None]]
) -> None:
    await client.leave(4)
    start("worker")
    start("scheduler")

    async with caller_at(gateway.socket, client.admin.key) as socket:
        await socket.subscribe("s", PROGRESS, id=client.run["id"])
        paused = await next_in(socket, {"PAUSED"})
        await client.leave(None)
        by = datetime.fromisoformat(paused["resumeAt"]) - await calendar() + timedelta(minutes=1)
        await asyncio.gather(clock(by), client.trip.sandbox.move_clock(by.total_seconds()))
        over = await next_in(socket, OVER)
        end = await socket.receive()

    assert paused["limit"] == {"name": "day"}
    assert paused["message"]
    assert paused["finishedAt"] is None
    assert (over["state"], over["limit"], over["resumeAt"]) == ("SUCCEEDED", None, None)
    assert end["type"] == "complete"
    assert by_id(await client.ledger.shown()) == by_id(await client.ledger.truth())


async def test_asked_again_meanwhile_it_is_the_same_run_whoever_asks(client: Connected) -> None:
    colleague = await client.trip.firm.member(Permission.SYNC)

    answers = [await client.sync(), await client.sync(), await client.sync(colleague)]

    assert [each["errors"] for each in answers] == [[]] * 3
    assert {each["run"]["id"] for each in answers} == {client.run["id"]}


async def test_an_expired_connection_is_not_synced_and_what_was_read_stays(
    client: Connected, gateway: Gateway, start: Start
) -> None:
    start("worker")
    start("scheduler")
    async with caller_at(gateway.socket, client.admin.key) as socket:
        await until_over(socket, client.run["id"])
        before = await client.ledger.shown()
        live = (await client.sync())["run"]
        await client.admin.ask(DISCONNECT, id=client.connection_id)
        seen = await until_over(socket, live["id"])
        refused = await client.sync()

    assert seen[-1]["state"] in OVER
    assert refused == {
        "run": None,
        "errors": [{"code": "CONNECTION_EXPIRED", "field": "input.connectionId"}],
    }
    assert await client.ledger.shown() == before


async def test_who_may_sync_and_who_may_only_look(
    client: Connected, other_firm: Firm, opened: Deployment
) -> None:
    firm = client.trip.firm
    people = People(client=client, opened=opened)
    syncing = {
        "admin": firm.admin,
        "member with SYNC": await firm.member(Permission.SYNC),
        "listed member with SYNC": await people.listed(Permission.SYNC),
        "administrator": await people.of_client(ClientRole.ADMINISTRATOR),
        "service": await firm.caller(None, scopes=frozenset({Permission.SYNC})),
    }
    looking = {
        "member": await firm.member(Permission.MANAGE_CONNECTIONS),
        "listed member": await people.listed(),
        "reader": await people.of_client(ClientRole.READER),
        "narrowed key": await firm.member(Permission.SYNC, scopes=frozenset()),
    }
    blind = {
        "listed elsewhere": await firm.member(Permission.SYNC, clients=ClientAccess.LISTED),
        "another practice": other_firm.admin,
    }

    outcomes = {name: await outcome(client, who) for name, who in (syncing | looking | blind).items()}

    assert outcomes == {
        **dict.fromkeys(syncing, ([], [], [])),
        **dict.fromkeys(looking, (["FORBIDDEN"], [], [])),
        **dict.fromkeys(blind, (["NOT_FOUND"], ["NOT_FOUND"], ["NOT_FOUND"])),
    }


class People:
    """Those who see the one client."""

    def __init__(self, *, client: Connected, opened: Deployment) -> None:
        self._client, self._opened = client, opened

    async def listed(self, *permissions: Permission) -> Caller:
        member = await self._client.trip.firm.member(*permissions, clients=ClientAccess.LISTED)
        await self._run(
            "INSERT INTO member_client (practice_id, client_id, person_id) VALUES ($1, $2, $3)",
            member.person_id,
        )
        return member

    async def of_client(self, role: ClientRole) -> Caller:
        person_id = PersonId(new_id())
        await self._run(
            "INSERT INTO person (id, practice_id, name, name_key, email, created_at) "
            f"SELECT $3, $1, 'Theirs', 'theirs', '{person_id}@c.invalid', '2031-05-04' WHERE $2::uuid IS NOT NULL",
            person_id,
        )
        await self._run(
            "INSERT INTO client_member (practice_id, client_id, person_id, role, created_at) "
            f"VALUES ($1, $2, $3, '{role}', '2031-05-04')",
            person_id,
        )
        return await self._client.trip.firm.caller(person_id)

    async def _run(self, sql: str, person_id: PersonId | None) -> None:
        connection = await self._opened.connect()
        await connection.execute(
            sql, self._client.trip.firm.practice_id, UUID(self._client.client_id), person_id
        )
        await connection.close()


async def outcome(client: Connected, caller: Caller) -> tuple[list[str], list[str], list[str]]:
    """What a caller is refused: a sync, the run, a list."""
    payload = (await client.sync(caller))["errors"]
    run = await caller.codes(RUN, id=client.run["id"])
    records = await caller.codes(
        "query($id: ID!) { contacts(connectionId: $id) { totalCount } }", id=client.connection_id
    )
    return [error["code"] for error in payload], run, records


async def next_in(socket: Any, states: set[str]) -> dict[str, Any]:
    """The next message whose run is in one of these states."""
    async with asyncio.timeout(60):
        while True:
            message = await socket.receive()
            assert message["type"] == "next", message
            run: dict[str, Any] = message["payload"]["data"]["syncProgress"]
            if run["state"] in states:
                return run
