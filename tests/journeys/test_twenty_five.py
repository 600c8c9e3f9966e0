"""Twenty-five clients through one login: nothing is revoked that is in use, and each is told once what ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import redis

from tests.journeys.portfolio import (
    ALL_CONNECTED,
    NAMES,
    RELEASES,
    Portfolio,
    connected,
    populated,
)
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.polling import until
from tests.support.sandbox import Sandbox

DELETE = (
    "mutation($input: DeleteClientInput!) { deleteClient(input: $input) { deletedClientId errors { code } } }"
)
PROCESSES = (("worker", "--queues", "interactive"), ("worker", "--queues", "background"), ("scheduler",))
AN_HOUR = timedelta(hours=1)
A_SIGN_INS_DAY = timedelta(hours=24, minutes=2)
"""While a sign-in can be used, nothing is released that it has."""
TROUBLE: dict[str, dict[str, Any]] = {
    "status": {"status": 500},
    "throttle": {"problem": "appminute", "retry_after": 7},
    "html": {},
    "drop": {},
}


@pytest.fixture(scope="module")
async def workers(opened: Deployment) -> AsyncIterator[None]:
    """A worker for each queue and a scheduler, beginning with no job."""
    above = await opened.connect()
    await above.execute("DELETE FROM job")
    await above.close()
    with redis.Redis.from_url(opened.redis_url) as bells:
        bells.flushdb()
    processes = [opened.start(*command) for command in PROCESSES]
    try:
        for command, process in zip(PROCESSES, processes, strict=True):
            process.wait_for(f"{command[0]}.started")
        yield
    finally:
        for process in processes:
            process.kill()
    for process in processes:
        process.assert_unbroken()


@pytest.fixture
async def portfolio(
    firm: Firm,
    sandbox: Sandbox,
    clock: Any,
    opened: Deployment,
    workers: None,  # noqa: ARG001 - must run
) -> AsyncIterator[Portfolio]:
    async with populated(firm, sandbox, clock, opened) as made:
        yield await synced(made)


@pytest.fixture
async def one_more(
    firm: Firm,
    sandbox: Sandbox,
    clock: Any,
    opened: Deployment,
    workers: None,  # noqa: ARG001 - must run
) -> AsyncIterator[Portfolio]:
    """With a client that is disconnected later."""
    async with populated(firm, sandbox, clock, opened, names=(*NAMES, "Odd One")) as made:
        yield await synced(made)


async def synced(portfolio: Portfolio) -> Portfolio:
    """Everybody connected and read for the first time, so that nothing needs the token by itself for a day."""
    await (await connected(portfolio)).wait_for_jobs("sync.work_run")
    return portfolio


async def test_an_abandoned_sign_in_of_the_same_login_revokes_nothing(portfolio: Portfolio) -> None:
    trip, before = portfolio.trip, await portfolio.board()
    never_back = await trip.start()
    told = await trip.proof(await trip.start())

    await portfolio.move(timedelta(hours=25))
    await portfolio.wait_for_jobs("sign_ins.forget_sign_in")
    states = [
        (await trip.look(id_))["state"]
        for id_ in (never_back["signIn"]["id"], told["signIn"], portfolio.sign_in_id)
    ]
    kept = await portfolio.grant()
    started = await portfolio.reconnect(before["nodes"][0]["connection"]["id"])

    assert "proof" in told
    assert states == ["EXPIRED"] * 3
    assert (await portfolio.revocations(), await portfolio.released()) == ([], [])
    assert kept is not None
    assert kept["refresh_tokens"]["current"] == 1
    assert await portfolio.granted() == {one.tenant_id for one in portfolio.served.values()}
    assert before["counts"] == ALL_CONNECTED
    assert await portfolio.board() == before
    assert (started["signIn"]["state"], started["authorizationUrl"]) == ("READY", None)
    assert await portfolio.token_calls() == [(None, 200)]
    assert (await trip.sandbox.log(trip.app, "connections"))[-1]["status"] == 200


async def test_what_is_disconnected_is_released_and_the_consent_ends_with_the_last(
    portfolio: Portfolio,
) -> None:
    first, second, *rest = portfolio.served.values()
    by_name = await portfolio.connections()
    [for_both] = await portfolio.connect([second.row], product="DATA_HEALTH")

    await portfolio.disconnect(by_name[first.name]["id"])
    before_its_day_is_over = await portfolio.released()
    await portfolio.move(A_SIGN_INS_DAY)
    await portfolio.wait_until_released(first.tenant_id)
    one_less = await portfolio.released(), await portfolio.counts(), await portfolio.grant()
    await portfolio.disconnect(by_name[second.name]["id"])
    await portfolio.wait_for_jobs(*RELEASES)
    half = await portfolio.released()
    await portfolio.disconnect(for_both["connection"]["id"])
    await portfolio.wait_until_released(second.tenant_id)
    both = await portfolio.released(), await portfolio.granted(), await portfolio.revocations()
    for one in rest:
        await portfolio.disconnect(by_name[one.name]["id"])
    await portfolio.wait_for_jobs(*RELEASES, "credentials.let_go_credential")

    assert for_both["code"] == "CONNECTED"
    assert before_its_day_is_over == []
    assert one_less[:2] == ([first.tenant_id], ALL_CONNECTED | {"connected": 24, "expired": 1})
    assert one_less[2] is not None
    assert (len(one_less[2]["connections"]), one_less[2]["refresh_tokens"]["current"]) == (24, 1)
    assert half == [first.tenant_id]
    assert both == ([first.tenant_id, second.tenant_id], {one.tenant_id for one in rest}, [])
    assert await portfolio.grant() is None
    assert [call["status"] for call in await portfolio.revocations()] == [200]
    # What the consent took with it had not to be released any more; nothing was released twice.
    released = await portfolio.released()
    assert len(set(released)) == len(released)
    assert set(released) <= {one.tenant_id for one in portfolio.served.values()}
    assert set((await portfolio.reasons()).values()) == {"DISCONNECTED"}
    assert await portfolio.told("CONNECTION_DISCONNECTED") == Counter(
        [for_both["connection"]["id"], *(each["id"] for each in by_name.values())]
    )
    assert await portfolio.events("CONNECTION_EXPIRED") == []


async def test_a_deleted_client_is_purged_and_its_organisation_released(portfolio: Portfolio) -> None:
    gone, *rest = portfolio.served.values()
    await portfolio.connect([gone.row], product="DATA_HEALTH")

    await portfolio.move(AN_HOUR)
    deleted = (await portfolio.admin.ask(DELETE, input={"id": gone.client_id}))["deleteClient"]
    await portfolio.move(A_SIGN_INS_DAY - AN_HOUR)
    await portfolio.wait_until_released(gone.tenant_id)
    await portfolio.wait_for_jobs(*RELEASES)
    await portfolio.wait_until_put_off("clients.purge_client")
    await portfolio.move(timedelta(minutes=11))  # a purge that came before the release looks again then
    await portfolio.wait_for_jobs("clients.purge_client")

    assert deleted == {"deletedClientId": gone.client_id, "errors": []}
    assert (await portfolio.released(), await portfolio.revocations()) == ([gone.tenant_id], [])
    assert await portfolio.granted() == {one.tenant_id for one in rest}
    events = await portfolio.events(client_id=gone.client_id)
    assert Counter(event["kind"] for event in events) == {
        "CLIENT_CREATED": 1,
        "CONNECTION_CONNECTED": 2,
        "CONNECTION_ENDED": 2,
        "CLIENT_DELETED": 1,
        "CLIENT_PURGED": 1,
    }
    assert (events[-1]["kind"], events[-1]["connections"], events[-1]["organisations"]) == (
        "CLIENT_PURGED",
        "2",
        "1",
    )
    left = await portfolio.above.fetchval(
        "SELECT (SELECT count(*) FROM client WHERE id = $1) + (SELECT count(*) FROM connection WHERE client_id = $1) "
        "+ (SELECT count(*) FROM client_word WHERE client_id = $1) + (SELECT count(*) FROM organisation WHERE id = $2)",
        UUID(gone.client_id),
        UUID(gone.organisation_id),
    )
    assert left == 0
    assert await portfolio.counts() == ALL_CONNECTED | {"connected": 24}


async def test_a_revoked_consent_is_told_once_of_each_and_a_new_one_heals_them(one_more: Portfolio) -> None:
    trip, by_name = one_more.trip, await one_more.connections()
    odd = by_name.pop("Odd One")["id"]
    twenty_five = Counter(connection["id"] for connection in by_name.values())
    await one_more.disconnect(odd)
    await trip.sandbox.revoke(trip.app, trip.person)
    not_known_yet = await one_more.counts()

    await one_more.move(A_SIGN_INS_DAY)  # then its release needs the token, if nobody else did before
    await until(lambda: all_expired(one_more), "the revocation is found")
    expired = await one_more.events("CONNECTION_EXPIRED")
    reasons, ended = await one_more.reasons(), await one_more.runs()
    told = await trip.proof(await trip.start())
    before_completed = await one_more.counts()
    completed = [await trip.complete(told) for _ in range(2)]
    restored = [run for run in await one_more.runs() if run["trigger"] == "RESTORED"]

    assert not_known_yet == {"unintegrated": 0, "connected": 25, "mismatch": 0, "expired": 1}
    assert Counter(event["connection_id"] for event in expired) == twenty_five
    assert {event["reason"] for event in expired} == {"REVOKED_AT_PROVIDER"}
    assert Counter(reasons.values()) == {"REVOKED_AT_PROVIDER": 25, "DISCONNECTED": 1}
    assert reasons["Odd One"] == "DISCONNECTED"
    assert not {run["state"] for run in ended} & {"QUEUED", "RUNNING", "PAUSED"}
    assert before_completed["expired"] == 26, "the callback heals nothing"
    assert [(each["signIn"]["state"], each["errors"]) for each in completed] == [("READY", [])] * 2
    assert await one_more.counts() == {"unintegrated": 0, "connected": 25, "mismatch": 0, "expired": 1}
    assert (await one_more.reasons())["Odd One"] == "DISCONNECTED"
    assert await one_more.told("CONNECTION_RESTORED") == twenty_five
    assert await one_more.told("CONNECTION_EXPIRED") == twenty_five
    assert len({run["organisation_id"] for run in restored}) == len(restored) == 25


async def all_expired(portfolio: Portfolio) -> bool:
    return (await portfolio.counts())["expired"] == 26


async def test_trouble_at_the_token_endpoint_changes_nobodys_status(portfolio: Portfolio) -> None:
    trip, before = portfolio.trip, (await portfolio.board(), await portfolio.events())
    connection_id = before[0]["nodes"][0]["connection"]["id"]

    for kind, more in TROUBLE.items():
        await portfolio.move(AN_HOUR)
        await portfolio.wait_for_jobs("credentials.finish_refresh")  # of the trouble before: nothing to do
        asked = len(await portfolio.token_calls())
        await trip.sandbox.plant(kind, "token", times=20, **more)
        in_trouble = await portfolio.reconnect(connection_id)
        during = await portfolio.board(), await portfolio.events()
        await trip.sandbox.control("DELETE", "/faults")
        afterwards = await portfolio.reconnect(connection_id)
        calls = [fault for fault, _ in (await portfolio.token_calls())[asked:]]

        assert (in_trouble["signIn"]["state"], in_trouble["errors"]) == ("STARTED", [])
        assert in_trouble["authorizationUrl"] is not None, "a person may be asked instead"
        assert during == before, kind
        assert (afterwards["signIn"]["state"], afterwards["authorizationUrl"]) == ("READY", None), kind
        # What was cut off may have been answered: the same token is tried once more at once.
        assert calls == [*[kind] * (2 if kind == "drop" else 1), None]
    assert (await portfolio.board(), await portfolio.events()) == before


async def test_a_refresh_that_failed_is_seen_through_by_a_job(portfolio: Portfolio) -> None:
    trip, before = portfolio.trip, (await portfolio.board(), await portfolio.events())
    connection_id = before[0]["nodes"][0]["connection"]["id"]
    await portfolio.move(AN_HOUR)
    await trip.sandbox.plant("status", "token", times=50, status=503)

    started = await portfolio.reconnect(connection_id)
    by_hand = await portfolio.token_calls()
    await portfolio.move(timedelta(minutes=1))
    await until(lambda: asked(portfolio, 2), "the job has asked, too")
    await portfolio.wait_until_put_off("credentials.finish_refresh")
    during = await portfolio.board(), await portfolio.events()
    await trip.sandbox.control("DELETE", "/faults")
    await portfolio.move(timedelta(minutes=10))
    await portfolio.wait_for_jobs("credentials.finish_refresh")
    calls = await portfolio.token_calls()
    afterwards = await portfolio.reconnect(connection_id)

    assert started["signIn"]["state"] == "STARTED"
    assert by_hand == [("status", 503)]
    assert calls == [("status", 503), ("status", 503), (None, 200)]
    assert (afterwards["signIn"]["state"], await portfolio.token_calls()) == ("READY", calls)
    assert during == before
    assert (await portfolio.board(), await portfolio.events()) == before


async def asked(portfolio: Portfolio, times: int) -> bool:
    return len(await portfolio.token_calls()) >= times
