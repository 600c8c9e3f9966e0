"""Clients taken over from a colleague's login, over HTTP, with a real worker: what is still used is never revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.journeys.portfolio import Portfolio, connected, populated
from tests.journeys.test_reconnect_all import NAMES, colleague_of
from tests.journeys.test_twenty_five import A_SIGN_INS_DAY
from tests.support.deployment import Deployment
from tests.support.firm import Caller, Firm, unknown_id
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip, codes

REASSIGN = """mutation($input: ReassignInput!) { reassign(input: $input) {
  outcomes { connectionId code error { code message field }
    connection { statuses integratedBy { login person { name } } } }
  errors { code field } } }"""
INTEGRATED_BY = """query($id: ID!) { connections(integratedBy: $id) { totalCount
  nodes { client { name } integratedBy { login person { name } } } } }"""


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


async def reassign(caller: Caller, sign_in_id: str, ids: list[str]) -> dict[str, Any]:
    given = {"signInId": sign_in_id, "connectionIds": ids}
    return dict((await caller.ask(REASSIGN, input=given))["reassign"])


async def integrated_by(caller: Caller, person_id: object) -> list[str]:
    page = (await caller.ask(INTEGRATED_BY, id=str(person_id)))["connections"]
    return [node["client"]["name"].split()[0] for node in page["nodes"]]


async def test_chosen_clients_move_and_the_old_login_is_let_go_of_with_the_last(
    portfolio: Portfolio,
) -> None:
    connections = {name: each["id"] for name, each in (await portfolio.connections()).items()}
    colleague, trip = await colleague_of(portfolio, *NAMES)
    told = await trip.proof(await trip.start(colleague))
    assert codes(await trip.complete(told, colleague)) == []
    chosen = [connections["Cedar"], connections["Alder"], "no id", connections["Cedar"]]

    moved = await reassign(colleague, told["signIn"], chosen)
    again = await reassign(colleague, told["signIn"], [connections["Alder"]])
    halfway = await integrated_by(colleague, colleague.person_id)
    left = await integrated_by(colleague, portfolio.admin.person_id)
    await portfolio.wait_for_jobs("sync.work_run")  # on the next day some may be that begin in two minutes
    await portfolio.move(A_SIGN_INS_DAY)
    await portfolio.wait_for_jobs("credentials.let_go_credential")
    kept = await portfolio.grant()
    ready = await trip.start(colleague, purpose="RECONNECT", connectionId=connections["Alder"], products=[])
    rest = await reassign(colleague, ready["signIn"]["id"], [connections[name] for name in NAMES])

    assert [(each["connectionId"], each["code"]) for each in moved["outcomes"]] == [
        (chosen[0], "REASSIGNED"),
        (chosen[1], "REASSIGNED"),
        ("no id", "NOT_FOUND"),
        (chosen[3], "NAMED_TWICE"),
    ]
    assert moved["outcomes"][0]["connection"]["integratedBy"] == {
        "login": trip.person.email,
        "person": {"name": "Some Member"},
    }
    assert [each["code"] for each in again["outcomes"]] == ["ALREADY_YOURS"]
    assert (halfway, left) == (["Alder", "Cedar"], ["Birch", "Dogwood", "Elder"])
    assert kept is not None, "three clients still use it"
    assert [each["code"] for each in rest["outcomes"]] == [
        "ALREADY_YOURS",
        "REASSIGNED",
        "ALREADY_YOURS",
        "REASSIGNED",
        "REASSIGNED",
    ]

    async def let_go() -> bool:
        return await portfolio.grant() is None

    await until(let_go, "the old login is let go of")
    assert await integrated_by(colleague, colleague.person_id) == list(NAMES)
    assert (await portfolio.counts())["connected"] == 5
    assert [call["status"] for call in await portfolio.revocations()] == [200]


@pytest.mark.parametrize("count", [0, 1_001])
async def test_none_and_too_many(trip: Trip, count: int) -> None:
    payload = await reassign(trip.firm.admin, await trip.ready(), [unknown_id()] * count)

    refused = [{"code": "INVALID", "field": "input.connectionIds"}] if count else []
    assert payload == {"outcomes": [], "errors": refused}
