"""A pause is told to front ends once, however often somebody looks whether it is over; again if it gets far longer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.deployment import Deployment, Gateway
from tests.support.events import cursor_of, listening
from tests.support.firm import Firm
from tests.support.jobs import JobTable, calendar
from tests.support.sandbox import Sandbox
from tests.support.syncing import RUN, Connected, connected
from tieline.ids import ClientId, PersonId, RunId, new_id
from tieline.practices.service import add_client_member
from tieline.principal import ClientRole
from tieline.sync.slices import work_slice

Move = Callable[[timedelta], Awaitable[None]]
KEPT_FOR_PEOPLE = 100
_LIMITS = "name scope kind most windowSeconds used left reserve resetsAt looksAgainAt blockedUntil"
QUOTAS = f"""query($run: ID!, $connection: ID!) {{
  syncRun(id: $run) {{ limit {{ name scope most }} resumeAt message feedsDone feedsTotal records }}
  connection(id: $connection) {{ quota {{ limits {{ {_LIMITS} }} blockedBy blockedUntil source asOf }} }}
  providers {{ slug app {{ environment tier quota {{ limits {{ name used left }} }} }} }} }}"""
HOUR = timedelta(hours=1)


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


@pytest.fixture
def move(clock: Move, sandbox: Sandbox) -> Move:
    """Moves the deployment's calendar and the provider's."""

    async def on(by: timedelta) -> None:
        await clock(by)
        await sandbox.move_clock(by.total_seconds())

    return on


async def worked(client: Connected, *, seconds: float = 30.0) -> dict[str, Any]:
    """The run after one slice of it, as a front end sees it."""
    await work_slice(client.trip.firm.practice_id, RunId(UUID(client.run["id"])), seconds=seconds)
    shown: dict[str, Any] = (await client.admin.ask(RUN, id=client.run["id"]))["syncRun"]
    return shown


async def administrator(firm: Firm, client_id: str) -> PersonId:
    """Somebody who belongs to that client alone."""
    return await add_client_member(
        firm.practice_id,
        name="Theirs",
        email=f"{new_id()}@client.invalid",
        client_id=ClientId(UUID(client_id)),
        role=ClientRole.ADMINISTRATOR,
    )


def pages(run: dict[str, Any]) -> int:
    return sum(feed["pages"] for feed in run["feeds"])


async def test_a_pause_is_told_once_while_an_hourly_call_brings_a_page_or_is_refused(
    client: Connected, gateway: Gateway, move: Move
) -> None:
    after = await cursor_of(client.admin)
    await client.leave(KEPT_FOR_PEOPLE + 1)
    paused = [await worked(client)]
    for left in (None, None, 0):
        await move(HOUR + timedelta(seconds=1))
        if left is not None:
            await client.leave(left)
        paused.append(await worked(client))
    refused_until = datetime.fromisoformat(paused[-1]["resumeAt"])

    async with listening(gateway, client.admin, after) as listener:
        once, again = await listener.take(2)
        await client.leave(None)
        await move(refused_until - await calendar() + timedelta(seconds=1))
        over = await worked(client)
        last = await listener.next()

    assert [run["state"] for run in paused] == ["PAUSED"] * 4
    assert [pages(run) for run in paused] == [1, 2, 3, 3]
    assert (once["kind"], once["limit"], once["resumeAt"]) == (
        "SYNC_PAUSED",
        {"name": "day"},
        paused[0]["resumeAt"],
    )
    assert refused_until - datetime.fromisoformat(paused[-2]["resumeAt"]) > HOUR * 12
    assert (again["kind"], again["limit"], again["resumeAt"]) == (
        "SYNC_PAUSED",
        {"name": "day"},
        paused[-1]["resumeAt"],
    )
    assert (over["state"], last["kind"]) == ("SUCCEEDED", "SYNC_SUCCEEDED")


async def test_a_paused_run_and_the_quota_of_its_connection_say_the_same(
    client: Connected, firm: Firm
) -> None:
    theirs = await firm.caller(await administrator(firm, client.client_id))
    await client.leave(KEPT_FOR_PEOPLE + 1)

    run = await worked(client)
    asked = {"run": client.run["id"], "connection": client.connection_id}
    said = await client.admin.ask(QUOTAS, **asked)
    seen_by_them = await theirs.ask(QUOTAS, **asked)

    assert said["syncRun"] == {
        "limit": {"name": "day", "scope": "ORGANISATION", "most": 1_000},
        "resumeAt": run["resumeAt"],
        "message": "What syncs may use of the organisation's day at Xero is used up. 1 of 16 parts is read, and it "
        "goes on from there by itself.",
        "feedsDone": 1,
        "feedsTotal": len(run["feeds"]),
        "records": sum(feed["records"] for feed in run["feeds"]),
    }
    quota = said["connection"]["quota"]
    limits = {limit.pop("name"): limit for limit in quota["limits"]}
    assert (quota["source"], quota["blockedBy"], quota["blockedUntil"]) == ("LIVE", None, None)
    assert limits["day"] == {
        "scope": "ORGANISATION",
        "kind": "DAY",
        "most": 1_000,
        "windowSeconds": None,
        "used": 900,
        "left": KEPT_FOR_PEOPLE,
        "reserve": KEPT_FOR_PEOPLE,
        "resetsAt": None,
        "looksAgainAt": run["resumeAt"],
        "blockedUntil": None,
    }
    assert (limits["concurrent"]["used"], limits["concurrent"]["left"]) == (0, 5)
    assert (limits["minute"]["windowSeconds"], limits["minute"]["most"]) == (60, 60)
    assert limits["app_minute"]["used"] >= limits["minute"]["used"] >= 1
    (xero,) = [provider for provider in said["providers"] if provider["slug"] == "xero"]
    assert (xero["app"]["environment"], xero["app"]["tier"]) == ("SANDBOX", None)
    assert [limit["name"] for limit in xero["app"]["quota"]["limits"]] == ["app_minute"]
    assert [limit["name"] for limit in seen_by_them["connection"]["quota"]["limits"]] == [
        "concurrent",
        "minute",
        "day",
    ]
    assert [provider["app"] for provider in seen_by_them["providers"]] == [None] * len(said["providers"])


async def test_a_run_that_went_on_freely_and_is_paused_anew_tells_it_anew(
    client: Connected, gateway: Gateway, move: Move
) -> None:
    after = await cursor_of(client.admin)
    await client.leave(KEPT_FOR_PEOPLE)
    first = await worked(client)
    await client.leave(KEPT_FOR_PEOPLE + 2)
    await move(HOUR + timedelta(seconds=1))

    await worked(client, seconds=0)
    second = await worked(client)

    async with listening(gateway, client.admin, after) as listener:
        told = await listener.take(2)
    assert [event["resumeAt"] for event in told] == [first["resumeAt"], second["resumeAt"]]
    assert [event["kind"] for event in told] == ["SYNC_PAUSED"] * 2


async def test_another_tier_holds_for_a_run_that_goes_on_in_a_running_process(
    client: Connected, opened: Deployment
) -> None:
    await client.leave(300)  # a tenth of starter's day is 100 calls, of core's 500
    await worked(client, seconds=0)

    change_tier(opened, client, "core")
    paused = await worked(client)
    change_tier(opened, client, "starter")
    over = await worked(client)

    assert (paused["state"], paused["limit"], pages(paused)) == ("PAUSED", {"name": "day"}, 2)
    assert over["state"] == "SUCCEEDED"


def change_tier(deployment: Deployment, client: Connected, tier: str) -> None:
    whose = ("--practice", str(client.trip.firm.practice_id), "--provider", "xero")
    done = deployment.run("app", "tier", *whose, tier)
    assert done.returncode == 0, done.stderr
