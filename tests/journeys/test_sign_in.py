"""A sign-in over HTTP, from startSignIn to completeSignIn, with a browser, a provider, and what may go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from tests.support.deployment import Gateway, Process
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sockets import Socket, caller_at
from tests.support.trips import CONTINUE, FOLLOW, Trip, codes
from tieline.principal import ClientAccess, Permission


async def test_a_person_signs_in_and_finds_the_organisations(trip: Trip) -> None:
    await trip.firm.admin.create_client("Ashford Bakery")

    started = await trip.start()
    told = await trip.proof(started)
    completed = await trip.complete(told)
    seen = await trip.look(told["signIn"])

    assert started["signIn"] == {
        "id": told["signIn"],
        "state": "STARTED",
        "provider": {"slug": "xero"},
        "products": ["BOOKKEEPING"],
        "failure": None,
    }
    assert set(told) == {"tab", "signIn", "proof"}
    assert completed["errors"] == []
    assert (completed["signIn"]["state"], completed["signIn"]["detailsTotal"]) == ("READY", 2)
    assert seen["provider"]["callbackUrl"] == trip.app.callback_url
    first, second = seen["organisations"]["nodes"]
    assert (first["organisation"]["name"], second["organisation"]["name"]) == (
        "Ashford Bakery Ltd",
        "Birch & Sons",
    )
    assert first["organisation"]["externalId"] == trip.person.named("Ashford Bakery Ltd").tenant_id
    assert [first["consented"], second["consented"]] == [True, True]
    assert first["suggestedClients"] == [{"score": 100, "exact": True, "client": {"name": "Ashford Bakery"}}]
    assert second["suggestedClients"] == []


async def test_a_reload_of_the_callback_shows_the_same_answer_and_exchanges_once(trip: Trip) -> None:
    callback = await trip.consent(await trip.start())

    answers = await asyncio.gather(*(trip.land(callback) for _ in range(3)))
    again = await trip.land(callback)

    assert len({answer.response.headers["location"] for answer in (*answers, again)}) == 1
    assert len(await trip.sandbox.log(trip.app, "token")) == 1


async def test_a_denied_consent_is_told_and_the_sign_in_has_failed(trip: Trip) -> None:
    started = await trip.start()

    told = (await trip.land(await trip.consent(started, allow=False))).told
    seen = await trip.look(started["signIn"]["id"])

    assert (told["signIn"], told["error"], "proof" in told) == (
        started["signIn"]["id"],
        "CONSENT_DENIED",
        False,
    )
    assert (seen["state"], seen["failure"]["code"]) == ("FAILED", "CONSENT_DENIED")
    assert codes(await trip.complete({"signIn": told["signIn"], "proof": "x"})) == ["SIGN_IN_OVER"]


async def test_a_state_is_used_once_and_runs_out(trip: Trip, clock: Any) -> None:
    started = await trip.start()
    callback = await trip.consent(started)
    late = await trip.consent(await trip.start())
    used = (await trip.land(callback)).told

    another_code = await trip.land(callback.replace("code=", "code=x"))
    await clock(timedelta(minutes=16))
    too_late = await trip.land(late)

    assert "proof" in used
    assert "proof" not in another_code.told
    assert (await trip.look(used["signIn"]))["state"] in {"CONSENTED", "EXPIRED"}
    assert too_late.told["error"]
    assert "proof" not in too_late.told


async def test_a_proof_runs_out_unless_it_was_shown(trip: Trip, clock: Any) -> None:
    shown = await trip.proof(await trip.start())
    assert codes(await trip.complete(shown)) == []
    kept = await trip.proof(await trip.start())

    await clock(timedelta(minutes=6))

    assert codes(await trip.complete(shown)) == []
    assert codes(await trip.complete(kept)) == ["SIGN_IN_OVER"]


async def test_without_a_return_address_a_page_hands_the_proof_to_its_opener(trip: Trip) -> None:
    started = await trip.start(returnUrl=None)

    page = (await trip.land(await trip.consent(started))).response

    assert page.status_code == 200
    assert '["https://app.example"]' in page.text
    assert f'"signIn":"{started["signIn"]["id"]}","proof":"' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_who_may_sign_in(trip: Trip) -> None:
    manager = await trip.firm.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    reader = await trip.firm.member(Permission.SYNC)
    service = await trip.firm.caller(None, scopes=frozenset(Permission))

    assert codes(await trip.start(manager)) == []
    assert codes(await trip.start(reader)) == ["FORBIDDEN"]
    assert codes(await trip.start(service)) == ["FORBIDDEN"]


async def test_a_provider_has_to_be_known_and_configured(trip: Trip, other_firm: Firm) -> None:
    assert codes(await trip.start(provider="nobody")) == ["NOT_FOUND"]
    assert codes(await trip.start(other_firm.admin)) == ["PROVIDER_NOT_CONFIGURED"]
    assert codes(await trip.start(products=[])) == ["INVALID"]
    assert codes(await trip.start(connectionId="nonsense")) == ["NOT_FOUND"]


async def test_trouble_of_the_provider_is_data_and_the_same_call_goes_on(trip: Trip) -> None:
    told = await trip.proof(await trip.start())
    await trip.sandbox.plant("status", "connections", times=10, status=503)

    failed = await trip.complete(told)
    await trip.sandbox.control("DELETE", "/faults")
    completed = await trip.complete(told)

    assert codes(failed) == ["PROVIDER_UNAVAILABLE"]
    assert failed["errors"][0]["message"]
    assert completed["signIn"]["state"] == "READY"


async def test_another_trip_adds_to_the_same_sign_in(trip: Trip) -> None:
    first, second = trip.person.organisations
    started = await trip.start()
    told = (await trip.land(await trip.consent(started, first))).told
    await trip.complete(told)

    again = (await trip.firm.admin.ask(CONTINUE, input={"id": told["signIn"]}))["continueSignIn"]
    told_again = (await trip.land(await trip.consent(again, second))).told
    await trip.complete(told_again)
    seen = await trip.look(told["signIn"])

    assert again["signIn"] == {"id": told["signIn"], "state": "STARTED"}
    assert told_again["signIn"] == told["signIn"]
    assert seen["organisations"]["totalCount"] == 2


async def next_of(socket: Socket) -> dict[str, Any]:
    async with asyncio.timeout(45):
        message = await socket.receive()
    assert message["type"] == "next", message
    seen: dict[str, Any] = message["payload"]["data"]["signIn"]
    return seen


async def test_the_subscription_sees_each_state_and_ends_when_all_details_are_there(
    jobs: JobTable,  # noqa: ARG001 - no others than its own
    trip: Trip,
    gateway: Gateway,
    start: Callable[..., Process],
) -> None:
    started = await trip.start()
    async with caller_at(gateway.socket, trip.firm.admin.key) as socket:
        await socket.subscribe("s", FOLLOW, id=started["signIn"]["id"])
        seen = [await next_of(socket)]
        told = await trip.proof(started)
        seen.append(await next_of(socket))
        await trip.complete(told)
        seen.append(await next_of(socket))
        start("worker", "--queues", "interactive")
        start("worker", "--queues", "background")
        start("scheduler")
        while seen[-1]["detailsDone"] < 2:
            seen.append(await next_of(socket))
        async with asyncio.timeout(45):
            end = await socket.receive()

    assert [one["state"] for one in seen[:3]] == ["STARTED", "CONSENTED", "READY"]
    assert seen[-1] == {"state": "READY", "detailsDone": 2, "detailsTotal": 2, "failure": None}
    assert end == {"id": "s", "type": "complete"}
    organisations = (await trip.look(told["signIn"]))["organisations"]["nodes"]
    assert all(one["organisation"]["legalName"] for one in organisations)


async def test_the_subscription_ends_with_a_failure(trip: Trip, gateway: Gateway) -> None:
    started = await trip.start()
    async with caller_at(gateway.socket, trip.firm.admin.key) as socket:
        await socket.subscribe("s", FOLLOW, id=started["signIn"]["id"])
        await next_of(socket)
        await trip.land(await trip.consent(started, allow=False))
        failed = await next_of(socket)
        end = await socket.receive()

    assert (failed["state"], failed["failure"]) == ("FAILED", {"code": "CONSENT_DENIED"})
    assert end["type"] == "complete"


async def test_no_secret_of_a_sign_in_is_logged(trip: Trip, gateway: Gateway) -> None:
    callback = await trip.consent(await trip.start())
    told = (await trip.land(callback)).told
    await trip.complete(told)

    logged = gateway.process.logged()
    parameters = httpx.URL(callback).params
    assert [one for one in (parameters["code"], parameters["state"], told["proof"]) if one in logged] == []
