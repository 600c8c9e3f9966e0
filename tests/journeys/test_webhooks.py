"""A change at a provider reaches the front end by its webhook: only what was touched is read, whatever is between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.test_quickbooks_sync import Synced, rounds, synced
from tests.support.deployment import Gateway, Process
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.ledgers import by_id
from tests.support.polling import until
from tests.support.sandbox import App, Sandbox
from tests.support.syncing import Connected, connected
from tieline.credentials.apps.service import set_webhook_secret
from tieline.ids import PracticeId
from tieline.vault import Secret

__all__ = ["rounds", "synced"]

Clock = Callable[[timedelta], Awaitable[None]]
MOMENT = timedelta(seconds=21)
RUNS = """query($id: ID!) { connection(id: $id) { lastSyncedAt syncRuns(first: 50) { nodes {
  trigger state feeds { feed changed } } } } }"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """An app at the pretended provider that posts to the gateway. `at` is the app's place in the control API."""

    sandbox: Sandbox = field(repr=False)
    practice_id: PracticeId
    provider: str
    at: str
    key: str

    async def deliver(self, **wish: Any) -> list[int]:
        """The provider posts what it has to tell: what it was answered, always without a word."""
        delivered = await self.sandbox.control("POST", f"{self.at}/webhooks", wish)
        for answer in delivered["deliveries"]:
            assert answer["body"] == ""
            assert "set-cookie" not in answer["headers"]
        return [answer["status"] for answer in delivered["deliveries"]]

    async def learn(self, key: str | None = None) -> None:
        """The operator enters what the webhooks are signed with."""
        await set_webhook_secret(self.practice_id, self.provider, Secret(key or self.key))


async def told_at(
    sandbox: Sandbox, practice_id: PracticeId, app: App, gateway: Gateway, *, provider: str
) -> Told:
    at = f"/apps/{app.client_id}" if provider == "xero" else f"/{provider}/apps/{app.client_id}"
    url = f"{gateway.url}/webhooks/{provider}/{app.id}"
    made = await sandbox.control("PUT", at, {"webhook_url": url})
    key = made["webhook_key" if provider == "xero" else "verifier_token"]
    told = Told(sandbox=sandbox, practice_id=practice_id, provider=provider, at=at, key=key)
    await told.learn()
    return told


async def runs_of(client: Connected | Synced) -> list[dict[str, Any]]:
    """The runs of its organisation, the latest first."""
    admin = client.admin if isinstance(client, Connected) else client.rounds.firm.admin
    shown = (await admin.ask(RUNS, id=client.connection_id))["connection"]
    nodes: list[dict[str, Any]] = shown["syncRuns"]["nodes"]
    return nodes


async def until_read(client: Connected | Synced, number: int) -> list[dict[str, Any]]:
    """Wait until so many runs are over: what webhooks asked for, the latest first."""

    async def over() -> bool:
        runs = await runs_of(client)
        return len(runs) == number and all(run["state"] == "SUCCEEDED" for run in runs)

    await until(over, f"{number} runs are over")
    return [run for run in await runs_of(client) if run["trigger"] == "WEBHOOK"]


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


@pytest.fixture
async def told(client: Connected, gateway: Gateway) -> Told:
    trip = client.trip
    return await told_at(trip.sandbox, trip.firm.practice_id, trip.app, gateway, provider="xero")


async def test_an_invoice_that_changes_at_xero_is_in_the_ledger_at_the_cost_of_one_call(
    client: Connected, told: Told, start: Callable[..., Process], clock: Clock
) -> None:
    start("worker")
    start("scheduler")
    await until_read(client, 1)
    await client.until_detailed()
    before = await client.history()
    calls = len(await client.trip.sandbox.log(client.trip.app))
    await client.ledger.edit("invoices", create={"Type": "ACCPAY", "Total": 12.5})
    await client.ledger.edit("invoices", create={"Type": "ACCREC", "Total": 7.5})

    statuses = await told.deliver(copies=20, unknown=3)
    await clock(MOMENT)
    (run,) = await until_read(client, 2)

    assert statuses == [200] * 20
    assert [(each["feed"], each["changed"]) for each in run["feeds"]] == [("invoices", 2)]
    entries = (await client.trip.sandbox.log(client.trip.app))[calls:]
    assert [entry["path"] for entry in entries] == ["/xero/api.xro/2.0/Invoices"]
    assert by_id(await client.ledger.shown()) == by_id(await client.ledger.truth())
    assert (await client.history())["lastSyncedAt"] == before["lastSyncedAt"]


async def test_xero_learns_that_it_is_understood_and_that_lies_are_not(told: Told) -> None:
    assert await told.deliver(intent=True) == [200, 401, 200, 401]

    await told.learn("of-another-app")

    assert await told.deliver(intent=True) == [401, 401, 401, 401]


async def test_what_was_kept_is_read_though_everybody_died_before_its_job(
    client: Connected,
    told: Told,
    start: Callable[..., Process],
    clock: Clock,
    jobs: JobTable,
) -> None:
    processes = [start("worker"), start("scheduler")]
    await until_read(client, 1)
    for process in processes:
        process.kill()
    await client.ledger.edit("contacts", create={"Name": "Zoë & Sons"})

    assert await told.deliver() == [200]
    jobs.redis.flushdb()
    await clock(MOMENT)
    await jobs.lapse()
    start("worker")
    start("scheduler")

    (run,) = await until_read(client, 2)
    assert [(each["feed"], each["changed"]) for each in run["feeds"]] == [("contacts", 1)]


async def test_intuits_queue_is_held_while_it_is_refused_and_nothing_of_it_is_lost(
    synced: Synced, gateway: Gateway, clock: Clock
) -> None:
    rounds = synced.rounds
    sandbox, practice_id = rounds.quickbooks.sandbox, rounds.firm.practice_id
    told = await told_at(sandbox, practice_id, rounds.app, gateway, provider="quickbooks")
    await told.learn("of-another-app")
    await synced.edit("vendors", create={})
    refused = await told.deliver()
    await synced.edit("bills", create={})
    before = len(await synced.calls())

    await told.learn()
    taken = [await told.deliver(form=form, order="reversed") for form in ("cloudevents", "older")]
    await clock(MOMENT)
    (run,) = await until_read(synced, 2)

    assert (refused, taken) == ([403], [[200], [200]])
    assert [(each["feed"], each["changed"]) for each in run["feeds"]] == [("changes", 2)]
    assert (await synced.calls())[before:] == ["cdc"]
    assert await synced.shown() == await synced.truth()
