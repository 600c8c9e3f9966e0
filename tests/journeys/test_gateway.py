"""The gateway as browsers, operators and strangers meet it: origins, keys, figures, correlation, and its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import CREATE, Firm
from tests.support.jobs import JobTable
from tests.support.sockets import caller_at, socket_to
from tieline import log
from tieline.events.actors import prune_events
from tieline.identity import authenticate
from tieline.practices.keys import issue_key, revoke_key
from tieline.work import unit_of_work

OURS = "https://app.example"
THEIRS = "https://evil.example"
PRODUCTION = {"TIELINE_ENVIRONMENT": "production", "TIELINE_CLOCK": "real"}
VIEWER = "{ viewer { practice { id } } }"
INTROSPECTION = "{ __schema { queryType { name } } }"
CORRELATION = "x-correlation-id"


@pytest.fixture(scope="module")
def guarded(deployment: Deployment) -> Iterator[Gateway]:
    """A production gateway with a token for its metrics."""
    with serving(deployment, TIELINE_METRICS_TOKEN="for-the-scraper", **PRODUCTION) as running:
        yield running


@pytest.fixture(scope="module")
def closed(deployment: Deployment) -> Iterator[Gateway]:
    """A production gateway as it is when nothing more is said."""
    with serving(deployment, **PRODUCTION) as running:
        yield running


async def ask(gateway: Gateway, key: str | None, query: str = VIEWER, **headers: str) -> httpx.Response:
    authorization = {} if key is None else {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(gateway.graphql, json={"query": query}, headers=authorization | headers)


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


async def test_a_page_of_an_allowed_origin_may_call_with_a_key(gateway: Gateway, firm: Firm) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        preflight = await http.options(
            gateway.graphql,
            headers={
                "origin": OURS,
                "access-control-request-method": "POST",
                "access-control-request-headers": f"authorization, content-type, tieline-practice, {CORRELATION}",
            },
        )
    answer = await ask(gateway, firm.admin.key, origin=OURS)

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == OURS
    assert preflight.headers["access-control-allow-methods"] == "POST"
    allowed = {name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "tieline-practice", CORRELATION} <= allowed
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["access-control-expose-headers"] == f"{CORRELATION}, retry-after"


@pytest.mark.parametrize("origin", [THEIRS, "null", f"{OURS}.evil.example", "http://app.example"])
async def test_a_page_of_another_origin_is_allowed_nothing(gateway: Gateway, firm: Firm, origin: str) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        preflight = await http.options(
            gateway.graphql,
            headers={
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization",
            },
        )
    answer = await ask(gateway, firm.admin.key, origin=origin)

    assert preflight.status_code == 400
    for response in (preflight, answer):
        assert "access-control-allow-origin" not in response.headers


async def test_refusals_too_can_be_read_by_pages_of_an_allowed_origin(gateway: Gateway) -> None:
    answer = await ask(gateway, "nonsense", origin=OURS)

    assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["access-control-allow-origin"] == OURS
    assert answer.headers[CORRELATION]


async def test_sockets_open_for_allowed_and_own_origins_and_for_programs(
    gateway: Gateway, firm: Firm
) -> None:
    for origin in (OURS, gateway.url, None):
        async with socket_to(gateway.socket, origin=origin) as socket:
            await socket.acknowledged(firm.admin.key)
            assert (await socket.ask(VIEWER))["data"]["viewer"]["practice"]["id"] == str(firm.practice_id)


async def test_frames_are_not_compressed_though_browsers_offer_it(gateway: Gateway) -> None:
    async with socket_to(gateway.socket) as socket:
        assert socket.connection.request is not None
        assert "permessage-deflate" in socket.connection.request.headers["sec-websocket-extensions"]
        assert socket.connection.protocol.extensions == []


@pytest.mark.parametrize("origin", [THEIRS, "null", "http://127.0.0.1:1"])
async def test_sockets_of_other_origins_are_refused(gateway: Gateway, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket_to(gateway.socket, origin=origin):
            pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer nonsense",
        "Bearer tl_AAAAAAAA_" + "a" * 43,
        "Bearer tl_AAAAAAAA_" + "a" * 10_000,
        "Basic dXNlcjpwYXNz",
        "Bearer a b",
        "Bearer ÿ".encode("latin-1"),
    ],
)
async def test_a_malformed_or_unknown_key_is_unauthenticated(gateway: Gateway, authorization: Any) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(gateway.graphql, json={"query": VIEWER}, headers=headers)

    assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_revoked_key_ends_at_once_and_so_does_its_socket_which_asks_for_nothing(
    gateway: Gateway, firm: Firm
) -> None:
    issued = await issue_key(firm.practice_id, name="short-lived", person_id=firm.admin.person_id)
    key = issued.secret.reveal()
    assert (await ask(gateway, key)).status_code == 200

    async with caller_at(gateway.socket, key) as socket:
        await revoke_key(str(issued.id))
        with pytest.raises(ConnectionClosed) as end:
            await socket.receive()

    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 4403
    assert (await ask(gateway, key)).status_code == 401


async def test_a_request_whose_body_ends_after_its_key_did_is_refused(gateway: Gateway, firm: Firm) -> None:
    issued = await issue_key(firm.practice_id, name="short-lived", person_id=firm.admin.person_id)
    body = json.dumps({"query": VIEWER}).encode()
    place = urlsplit(gateway.graphql)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {issued.secret.reveal()}\r\nConnection: close\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    asked_for = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)  # so it was let in

    await revoke_key(str(issued.id))
    writer.write(body)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()

    assert asked_for.startswith(b"HTTP/1.1 100 ")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'"UNAUTHENTICATED"' in answer


async def test_a_key_works_until_it_expires(gateway: Gateway, firm: Firm, clock: Any) -> None:
    issued = await issue_key(
        firm.practice_id, name="a week", person_id=firm.admin.person_id, life=timedelta(days=7)
    )
    key = issued.secret.reveal()

    await clock(timedelta(days=7, seconds=-60))
    assert (await ask(gateway, key)).status_code == 200
    await clock(timedelta(seconds=60))
    assert (await ask(gateway, key)).status_code == 401


async def test_introspection_and_suggestions_are_for_development(
    gateway: Gateway, closed: Gateway, firm: Firm
) -> None:
    open_answer = await ask(gateway, firm.admin.key, INTROSPECTION)
    closed_answer = await ask(closed, firm.admin.key, INTROSPECTION)
    mistyped = await ask(closed, firm.admin.key, "{ viewr { role } }")

    assert open_answer.json()["data"]["__schema"]["queryType"] == {"name": "Query"}
    assert set(codes(closed_answer)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Did you mean" not in mistyped.text


async def test_metrics_are_for_those_who_hold_the_token(
    gateway: Gateway, guarded: Gateway, closed: Gateway
) -> None:
    async with httpx.AsyncClient(timeout=30) as http:

        async def status(where: Gateway, **headers: str) -> int:
            return (await http.get(f"{where.url}/metrics", headers=headers)).status_code

        assert await status(gateway) == 200
        assert await status(guarded) == 404
        assert await status(guarded, authorization="Bearer another") == 404
        assert await status(guarded, authorization="for-the-scraper") == 404
        assert await status(guarded, authorization="Bearer for-the-scraper") == 200
        assert await status(closed) == 404
        assert await status(closed, authorization="Bearer") == 404
        assert (await http.post(f"{gateway.url}/metrics")).status_code == 405


async def test_metrics_name_routes_and_never_what_strangers_ask_for(gateway: Gateway, firm: Firm) -> None:
    await firm.admin.post(VIEWER)
    async with httpx.AsyncClient(timeout=30) as http:
        assert (await http.get(f"{gateway.url}/livez")).text == "ok\n"
        assert (await http.get(f"{gateway.url}/a-path-of-a-stranger")).status_code == 404
        exposed = (await http.get(f"{gateway.url}/metrics")).text

    assert 'tieline_http_requests_total{route="/graphql",status="200"}' in exposed
    assert 'tieline_http_requests_total{route="other",status="404"}' in exposed
    assert "a-path-of-a-stranger" not in exposed


async def test_a_correlation_id_goes_from_the_request_into_the_event(
    gateway: Gateway, firm: Firm, opened: Deployment
) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(
            gateway.graphql,
            json={"query": CREATE, "variables": {"input": {"name": "Traced"}}},
            headers={"authorization": f"Bearer {firm.admin.key}", CORRELATION: "trace-1234.A_b"},
        )
    connection = await opened.connect()
    written = await connection.fetchval(
        "SELECT correlation_id FROM event WHERE practice_id = $1", firm.practice_id
    )
    await connection.close()

    assert answer.headers[CORRELATION] == written == "trace-1234.A_b"


async def test_a_job_carries_the_correlation_id_of_what_asked_for_it(firm: Firm, jobs: JobTable) -> None:
    principal = await authenticate(firm.admin.key)

    async def ask_for_job() -> None:
        log.correlate("trace-of-a-request")
        async with unit_of_work(principal) as work:
            work.enqueue(prune_events, key="test", keep_days=30)

    await asyncio.create_task(ask_for_job())

    assert (await jobs.one())["correlation_id"] == "trace-of-a-request"


@pytest.mark.parametrize(
    "hostile",
    ["short", "x" * 65, "with space in it", "<script>alert(1)", "a" * 20 + "\t" + "b", "ÿ" * 10, ""],
)
async def test_a_hostile_correlation_id_is_replaced(gateway: Gateway, hostile: str) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.get(
            f"{gateway.url}/livez", headers=[(CORRELATION.encode(), hostile.encode("latin-1"))]
        )

    assert len(answer.headers[CORRELATION]) == 36


async def test_no_secret_is_ever_logged(deployment: Deployment, firm: Firm) -> None:
    key, unknown = firm.admin.key, "tl_AAAAAAAA_" + "s3cret" * 7 + "s"
    with serving(deployment, TIELINE_LOG_LEVEL="DEBUG") as talkative:
        assert (await ask(talkative, key)).status_code == 200
        assert (await ask(talkative, unknown)).status_code == 401
        async with httpx.AsyncClient(timeout=30) as http:
            await http.post(f"{talkative.graphql}?key={key}", content=b"{" + key.encode())
            await http.get(f"{talkative.url}/{key}")
        async with caller_at(talkative.socket, key) as socket:
            await socket.ask(VIEWER)
            await socket.connection.send(json.dumps({"type": key}))
        logged = talkative.process.logged()

    environment = deployment.environment
    passwords = [urlsplit(environment[f"TIELINE_{name}_URL"]).password for name in ("DATABASE", "REDIS")]
    secrets = [key, unknown, *passwords, environment["TIELINE_ENCRYPTION_KEYS"].partition(":")[2]]
    assert all(secrets)
    assert [secret for secret in secrets if secret and secret in logged] == []
