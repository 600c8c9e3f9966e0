"""All that is broken mended with one sign-in, over HTTP, with a real worker and a provider that took a consent back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.portfolio import Portfolio, connected, populated
from tests.support.deployment import Deployment
from tests.support.firm import Caller, Firm
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip, codes
from tieline.principal import Permission

NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elder")
COUNT = '{ reconnectAllCount(provider: "xero") { total disconnected } }'
RECONNECT_ALL = """mutation($id: ID!) { reconnectAll(input: {signInId: $id}) {
  outcomes { connectionId code error { code message field } note connection {
    statuses client { name } integratedBy { login person { name } } lastRun { trigger state } } }
  remaining errors { code field } } }"""
CONNECTION = "query($id: ID!) { connection(id: $id) { lastRun { trigger state } } }"
SYNC = "mutation($id: ID!) { sync(input: {connectionId: $id}) { run { id } errors { code } } }"


@pytest.fixture
async def portfolio(
    firm: Firm,
    sandbox: Sandbox,
    clock: Callable[..., Awaitable[None]],
    opened: Deployment,
    jobs: JobTable,  # noqa: ARG001 - empty
    start: Callable[..., Any],
) -> AsyncIterator[Portfolio]:
    """Five clients, connected and synced through the admin's login."""
    async with populated(firm, sandbox, clock, opened, names=NAMES) as made:
        start("worker")
        start("scheduler")
        await (await connected(made)).wait_for_jobs("sync.work_run")
        yield made


async def colleague_of(portfolio: Portfolio, *names: str) -> tuple[Caller, Trip]:
    """A colleague who may open the books of these clients with a login of its own."""
    trip = portfolio.trip
    person = await trip.sandbox.populate("The Colleague's Own Ltd")
    books = [trip.person.named(portfolio.served[name].books) for name in names]
    await trip.sandbox.share(person, *books)
    caller = await trip.firm.member(Permission.MANAGE_CONNECTIONS)
    return caller, replace(trip, person=replace(person, organisations=tuple(books)))


async def revoked(portfolio: Portfolio) -> None:
    """The admin's consent is taken back at the provider, and a sync has found it out."""
    trip = portfolio.trip
    await trip.sandbox.revoke(trip.app, trip.person)
    first = (await portfolio.connections())["Alder"]["id"]
    await portfolio.admin.ask(SYNC, id=first)

    async def found() -> bool:
        return (await portfolio.counts())["expired"] == len(NAMES)

    await until(found, "the revocation is found")


async def reconnect_all(caller: Caller, sign_in_id: str) -> dict[str, Any]:
    return dict((await caller.ask(RECONNECT_ALL, id=sign_in_id))["reconnectAll"])


async def test_one_sign_in_mends_what_it_reaches_but_not_what_a_person_disconnected(
    portfolio: Portfolio,
) -> None:
    connections = await portfolio.connections()
    await portfolio.disconnect(connections["Elder"]["id"])
    await revoked(portfolio)
    colleague, trip = await colleague_of(portfolio, "Alder", "Birch", "Cedar", "Elder")

    counted = (await colleague.ask(COUNT))["reconnectAllCount"]
    started = await trip.start(colleague, purpose="RECONNECT_ALL", products=[])
    told = await trip.proof(started)
    before = await portfolio.counts()
    assert codes(await trip.complete(told, colleague)) == []
    mended = await reconnect_all(colleague, told["signIn"])
    await portfolio.wait_for_jobs("sync.work_run")
    again = await reconnect_all(colleague, told["signIn"])

    assert counted == {"total": 4, "disconnected": 1}
    assert started["signIn"]["products"] == ["BOOKKEEPING"]
    assert before["expired"] == 5
    became = {each["connection"]["client"]["name"]: each for each in mended["outcomes"]}
    assert {name: each["code"] for name, each in became.items()} == {
        "Alder Trading Limited": "RECONNECTED",
        "Birch Trading Limited": "RECONNECTED",
        "Cedar Trading Limited": "RECONNECTED",
        "Dogwood Trading Limited": "NOT_IN_THIS_LOGIN",
    }
    assert (mended["remaining"], mended["errors"]) == (0, [])
    alder = became["Alder Trading Limited"]["connection"]
    assert alder["statuses"] == ["CONNECTED"]
    assert alder["integratedBy"] == {"login": trip.person.email, "person": {"name": "Some Member"}}
    assert alder["lastRun"]["trigger"] == "RECONNECT"
    run = (await colleague.ask(CONNECTION, id=connections["Alder"]["id"]))["connection"]["lastRun"]
    assert run == {"trigger": "RECONNECT", "state": "SUCCEEDED"}
    assert [each["code"] for each in again["outcomes"]] == ["NOT_IN_THIS_LOGIN"]
    assert await portfolio.reasons() == {
        "Alder": None,
        "Birch": None,
        "Cedar": None,
        "Dogwood": "REVOKED_AT_PROVIDER",
        "Elder": "DISCONNECTED",
    }


async def test_nobody_is_prompted_whose_own_login_reaches_all_that_is_broken(portfolio: Portfolio) -> None:
    colleague, trip = await colleague_of(portfolio, *NAMES)
    other, few = await colleague_of(portfolio, "Alder", "Birch")
    for caller, its_trip in ((colleague, trip), (other, few)):
        told = await its_trip.proof(await its_trip.start(caller))
        assert codes(await its_trip.complete(told, caller)) == []
    await revoked(portfolio)

    prompted = await few.start(other, purpose="RECONNECT_ALL", products=[])
    started = await trip.start(colleague, purpose="RECONNECT_ALL", products=[])
    mended = await reconnect_all(colleague, started["signIn"]["id"])

    assert (prompted["signIn"]["state"], prompted["authorizationUrl"] is None) == ("STARTED", False)
    assert (started["signIn"]["state"], started["authorizationUrl"]) == ("READY", None)
    assert [each["code"] for each in mended["outcomes"]] == ["RECONNECTED"] * 5
    assert (await portfolio.counts())["connected"] == 5


async def test_strangers_are_refused(trip: Trip, other_firm: Firm) -> None:
    syncing = await trip.firm.member(Permission.SYNC)

    assert await syncing.codes(COUNT) == ["FORBIDDEN"]
    assert await trip.firm.admin.codes(COUNT.replace("xero", "nobody")) == ["NOT_FOUND"]
    stranger = await reconnect_all(other_firm.admin, await trip.ready())
    assert stranger["errors"] == [{"code": "NOT_FOUND", "field": "input.signInId"}]


async def test_what_the_connections_own_login_mends_is_told_as_well(portfolio: Portfolio) -> None:
    admin, trip = portfolio.admin, portfolio.trip
    await revoked(portfolio)

    before = (await admin.ask(COUNT))["reconnectAllCount"]["total"]
    told = await trip.proof(await trip.start(purpose="RECONNECT_ALL", products=[]))
    assert codes(await trip.complete(told)) == []
    after = (await admin.ask(COUNT))["reconnectAllCount"]["total"]
    calls = [await reconnect_all(admin, told["signIn"]) for _ in range(2)]

    assert (before, after) == (5, 0)
    for mended in calls:
        assert (mended["remaining"], mended["errors"]) == (0, [])
        assert {
            each["connection"]["client"]["name"].split()[0]: (
                each["code"],
                each["error"],
                each["connection"]["statuses"],
            )
            for each in mended["outcomes"]
        } == dict.fromkeys(NAMES, ("RECONNECTED", None, ["CONNECTED"]))


async def test_books_that_could_not_be_opened_work_once_a_colleague_can_open_them(
    portfolio: Portfolio,
) -> None:
    await portfolio.above.execute(
        "UPDATE connection SET reason = 'ACCESS_LOST' WHERE id = $1",
        UUID((await portfolio.connections())["Alder"]["id"]),
    )
    colleague, trip = await colleague_of(portfolio, "Alder")
    told = await trip.proof(await trip.start(colleague, purpose="RECONNECT_ALL", products=[]))
    assert codes(await trip.complete(told, colleague)) == []

    [became] = (await reconnect_all(colleague, told["signIn"]))["outcomes"]

    async def is_open() -> bool:
        return (await portfolio.reasons())["Alder"] is None

    await until(is_open, "the books were opened")
    assert became["code"] == "TO_BE_CHECKED"
    assert became["note"].startswith("We try at once")
    assert became["connection"]["statuses"] == ["EXPIRED"]
    assert became["connection"]["integratedBy"]["person"] == {"name": "Some Member"}
    again = await reconnect_all(colleague, told["signIn"])
    assert again["outcomes"] == []
