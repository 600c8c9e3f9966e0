"""Planted faults, as a client sees them."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.sandbox.xero import CLIENT_ID, SECRET, Person, Xero, bearer
from tests.support.polling import until

DROPPED = (httpx.RemoteProtocolError, httpx.ReadError)


async def test_a_status_with_headers_and_a_body(xero: Xero) -> None:
    await xero.plant("status", status=503, headers={"Retry-After": "9"}, body={"Detail": "offline"})

    answer = await xero.token()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
    assert answer.json() == {"Detail": "offline"}
    assert (await xero.token()).status_code == 400


async def test_a_drop_closes_the_connection_and_does_nothing(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.plant("drop", endpoint="token")

    with pytest.raises(DROPPED):
        await xero.refresh(pair["refresh_token"])

    assert (await xero.control("GET", "/grants"))["grants"][0]["refresh_tokens"]["in_grace"] == 0
    assert (await xero.log(endpoint="token"))[-1]["status"] is None


async def test_a_lost_answer_did_its_work(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.plant("lost_answer", endpoint="token")

    with pytest.raises(DROPPED):
        await xero.refresh(pair["refresh_token"])

    tokens = (await xero.control("GET", "/grants"))["grants"][0]["refresh_tokens"]
    assert tokens == {"current": 1, "in_grace": 1, "dead": 0}
    assert (await xero.refresh(pair["refresh_token"])).status_code == 200


async def test_html_instead_of_json(xero: Xero) -> None:
    await xero.plant("html")

    answer = await xero.http.get("/xero/connections")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


async def test_an_empty_and_a_truncated_answer(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.plant("empty", endpoint="organisation")
    await xero.plant("truncated", endpoint="organisation")

    empty, truncated, whole = [await xero.read(pair["access_token"], person.tenants[0]) for _ in range(3)]

    assert (empty.status_code, empty.content) == (200, b"")
    assert truncated.status_code == 200
    assert len(truncated.content) < len(whole.content)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        truncated.json()


async def test_a_slow_answer_comes_late(xero: Xero) -> None:
    await xero.plant("slow", seconds=0.3)

    begun = time.monotonic()
    answer = await xero.token(grant_type="x")

    assert answer.json() == {"error": "unsupported_grant_type"}
    assert time.monotonic() - begun >= 0.3


async def test_latency_is_for_every_call(xero: Xero) -> None:
    await xero.control("PUT", "/latency", {"seconds": 0.1})

    begun = time.monotonic()
    await xero.token()
    await xero.token()

    assert time.monotonic() - begun >= 0.2


async def test_calls_that_wait_go_on_when_the_latency_changes(xero: Xero) -> None:
    await xero.control("PUT", "/latency", {"seconds": 600})
    waiting = asyncio.create_task(xero.token())

    async def has_come() -> bool:
        return len(await xero.log()) == 1

    await until(has_come, "the call has come")
    await xero.control("PUT", "/latency", {"seconds": 0})

    assert (await waiting).json() == {"error": "invalid_request"}


@pytest.mark.parametrize(
    ("problem", "given", "wait"),
    [
        ("minute", 7, "7"),
        ("minute", None, "30"),
        ("day", None, "3600"),
        ("concurrent", None, None),
        ("appminute", 3, "3"),
    ],
)
async def test_a_throttle_says_which_limit(
    xero: Xero, person: Person, problem: str, given: int | None, wait: str | None
) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.plant("throttle", endpoint="accounting", problem=problem, retry_after=given)

    answer = await xero.read(pair["access_token"], person.tenants[0])

    assert answer.status_code == 429
    assert answer.headers["x-rate-limit-problem"] == problem
    assert answer.headers.get("retry-after") == wait
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_fault_waits_for_its_calls(xero: Xero, person: Person) -> None:
    await xero.configure(bulk_consent=True)
    pair = await xero.connect(person, *person.tenants)
    mine, other = person.tenants[:2]
    await xero.plant("status", status=500, plan={"organisation": mine, "after": 1, "times": 2})

    async def statuses(tenant: str) -> list[int]:
        return [(await xero.read(pair["access_token"], tenant)).status_code for _ in range(4)]

    assert await statuses(other) == [200, 200, 200, 200]
    assert await statuses(mine) == [200, 500, 500, 200]


async def test_a_fault_may_be_for_a_person_a_method_or_a_path(xero: Xero, person: Person) -> None:
    other = await xero.populate(organisations=1)
    pairs = {one.id: await xero.connect(one, one.tenants[0]) for one in (person, other)}
    await xero.plant("status", status=500, plan={"user": person.id})
    await xero.plant("status", status=501, plan={"path_contains": "/Organisation", "method": "GET"})

    assert (await xero.connections(pairs[other.id]["access_token"])).status_code == 200
    assert (await xero.connections(pairs[person.id]["access_token"])).status_code == 500
    assert (await xero.read(pairs[other.id]["access_token"], other.tenants[0])).status_code == 501


async def test_a_fault_finds_the_person_of_a_refresh_token(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.plant("status", endpoint="token", status=500, plan={"user": person.email})

    assert (await xero.token(grant_type="refresh_token", refresh_token="x")).status_code == 400
    assert (await xero.refresh(pair["refresh_token"])).status_code == 500


async def test_planted_faults_can_be_seen_and_taken_away(xero: Xero) -> None:
    await xero.plant("drop", plan={"times": 3})

    planted = (await xero.control("GET", "/faults"))["faults"]
    await xero.control("DELETE", "/faults")

    assert [(one["fault"]["kind"], one["times"]) for one in planted] == [("drop", 3)]
    assert (await xero.token()).status_code == 400


@pytest.mark.parametrize(
    "plan",
    [
        {"fault": {"kind": "magic"}},
        {"fault": {"kind": "drop"}, "times": 0},
        {"endpoint": "token"},
        {"fault": {"kind": "drop"}, "tiems": 2},
    ],
)
async def test_a_misspelt_fault_is_refused(xero: Xero, plan: dict[str, object]) -> None:
    assert (await xero.http.post("/_control/faults", json=plan)).status_code == 400


async def test_the_log_tells_who_asked_what_and_no_secret(xero: Xero, person: Person) -> None:
    code = await xero.code(person, person.tenants[0])
    pair = (await xero.exchange(code)).json()
    again = (await xero.refresh(pair["refresh_token"])).json()
    await xero.read(
        again["access_token"], person.tenants[0], headers={"If-Modified-Since": "2026-01-01T00:00:00"}
    )
    await xero.http.get(
        "/xero/connections",
        params={"access_token": again["access_token"]},
        headers=bearer(again["access_token"]),
    )

    entries = await xero.log()
    text = (await xero.http.get("/_control/log")).text

    assert [entry["endpoint"] for entry in entries] == [
        "authorize",
        "token",
        "token",
        "organisation",
        "connections",
    ]
    assert {entry["user"] for entry in entries} == {person.id}
    assert {entry["client_id"] for entry in entries} == {CLIENT_ID}
    assert [entry["grant_type"] for entry in entries[1:3]] == ["authorization_code", "refresh_token"]
    assert [entry["status"] for entry in entries] == [302, 200, 200, 200, 200]
    assert entries[3]["organisation"] == person.tenants[0]
    assert entries[3]["headers"] == {
        "If-Modified-Since": "2026-01-01T00:00:00",
        "Accept": "application/json",
        "Xero-tenant-id": person.tenants[0],
    }
    for secret in (
        code,
        SECRET,
        *(one[name] for one in (pair, again) for name in ("access_token", "refresh_token")),
    ):
        assert secret not in text


async def test_the_log_can_be_read_from_where_one_stopped(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    last = (await xero.control("GET", "/log"))["last"]

    await xero.read(pair["access_token"], person.tenants[0])
    await xero.connections(pair["access_token"])

    assert [entry["number"] for entry in await xero.log(after=last)] == [last + 1, last + 2]
    assert len(await xero.log(after=last, endpoint="accounting")) == 1
    assert len(await xero.log(after=last, organisation=person.tenants[0])) == 1
    await xero.control("DELETE", "/log")
    assert await xero.log() == []
