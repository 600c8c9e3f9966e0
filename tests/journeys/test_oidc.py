"""Signing in with a token of the practice's own issuer: over HTTP and over a socket, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from websockets.exceptions import ConnectionClosed

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import Firm
from tests.support.issuer import AUDIENCE, IssuerServer, running_issuer
from tests.support.sockets import Socket, caller_at, socket_to
from tieline.ids import new_id
from tieline.principal import Permission

VIEWER = "{ viewer { practice { id name } person { id } permissions } }"


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def trusting(deployment: Deployment, issuer: IssuerServer) -> Iterator[Gateway]:
    """A gateway that takes tokens of the issuer, and says all it has to say."""
    oidc = {"TIELINE_OIDC_ISSUER": issuer.url, "TIELINE_OIDC_AUDIENCE": AUDIENCE}
    with serving(deployment, TIELINE_LOG_LEVEL="DEBUG", **oidc) as running:
        yield running


@pytest.fixture
def subject() -> str:
    return f"auth0|{new_id()}"


async def ask(gateway: Gateway, token: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(
            gateway.graphql,
            json={"query": VIEWER},
            headers={"authorization": f"Bearer {token}", **headers},
        )


async def known_as(sql: Any, firm: Firm, issuer: IssuerServer, subject: str) -> None:
    """The firm's admin is this subject of the issuer."""
    await sql.execute(
        "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1",
        firm.admin.person_id,
        issuer.url,
        subject,
    )


async def closing_code(socket: Socket) -> int | None:
    """What the server closes it with; what it still says is passed over."""
    try:
        while True:
            await socket.receive()
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd is not None else None


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


async def test_a_person_signs_in_over_http_and_over_a_socket(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, sql: Any, subject: str
) -> None:
    token = issuer.token(subject)
    assert refusal(await ask(trusting, token)) == (401, "UNAUTHENTICATED")

    await known_as(sql, firm, issuer, subject)
    answer = await ask(trusting, token)
    async with caller_at(trusting.socket, token) as socket:
        live = await socket.ask(VIEWER)

    viewer = answer.json()["data"]["viewer"]
    assert viewer["practice"]["id"] == str(firm.practice_id)
    assert viewer["person"] == {"id": str(firm.admin.person_id)}
    assert viewer["permissions"] == [permission.value for permission in Permission]
    assert live["data"]["viewer"] == viewer


async def test_whoever_belongs_to_two_practices_names_one(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, other_firm: Firm, sql: Any, subject: str
) -> None:
    for each in (firm, other_firm):
        await known_as(sql, each, issuer, subject)
    token = issuer.token(subject)

    unclear = await ask(trusting, token)
    answers = [
        await ask(trusting, token, **{"Tieline-Practice": str(each.practice_id)})
        for each in (firm, other_firm)
    ]
    live = []
    for name in ("Tieline-Practice", "tielinePractice"):
        async with socket_to(trusting.socket) as socket:
            payload = {"authorization": f"Bearer {token}", name: str(other_firm.practice_id)}
            await socket.send(type="connection_init", payload=payload)
            assert await socket.receive() == {"type": "connection_ack"}
            live.append((await socket.ask(VIEWER))["data"]["viewer"]["practice"])

    practices = [answer.json()["data"]["viewer"]["practice"] for answer in answers]
    assert refusal(unclear) == (400, "PRACTICE_NEEDED")
    offered = unclear.json()["errors"][0]["extensions"]["practices"]
    assert offered == sorted(practices, key=lambda practice: str(practice["name"]))
    assert [practice["id"] for practice in practices] == [str(firm.practice_id), str(other_firm.practice_id)]
    assert live == [practices[1], practices[1]]


@pytest.mark.parametrize("payload", [{"tielinePractice": 7}, {"tielinePractice": ["x"]}, {}])
async def test_a_socket_that_says_something_odd_or_too_little_is_closed(
    trusting: Gateway,
    issuer: IssuerServer,
    firm: Firm,
    other_firm: Firm,
    sql: Any,
    subject: str,
    payload: dict[str, Any],
) -> None:
    for each in (firm, other_firm):
        await known_as(sql, each, issuer, subject)
    async with socket_to(trusting.socket) as socket:
        said = {"authorization": f"Bearer {issuer.token(subject)}", **payload}
        await socket.send(type="connection_init", payload=said)

        assert await closing_code(socket) == 4403


async def test_a_practice_of_somebody_else_is_refused_as_any_wrong_token_is(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, other_firm: Firm, sql: Any, subject: str
) -> None:
    await known_as(sql, firm, issuer, subject)
    foreign = {"Tieline-Practice": str(other_firm.practice_id)}

    by_token = await ask(trusting, issuer.token(subject), **foreign)
    by_key = await ask(trusting, firm.admin.key, **foreign)
    unknown = await ask(trusting, issuer.token("auth0|nobody"))

    assert refusal(by_token) == refusal(by_key) == (401, "UNAUTHENTICATED")
    assert by_token.json() == unknown.json()


async def test_a_token_of_a_megabyte_is_refused_before_it_is_read(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, sql: Any, subject: str
) -> None:
    await known_as(sql, firm, issuer, subject)
    twin = issuer.token(subject, pad="x" * 5_000)
    huge = issuer.token(subject, pad="x" * 1_000_000)

    with pytest.raises(httpx.TransportError):  # the line is cut while the head still comes
        await ask(trusting, huge)
    async with socket_to(trusting.socket) as socket:
        await socket.send(type="connection_init", payload={"authorization": f"Bearer {huge}"})
        code = await closing_code(socket)
    async with caller_at(trusting.socket, twin) as socket:
        live = await socket.ask(VIEWER)

    assert code == 1009
    assert (await ask(trusting, twin)).status_code == 200
    assert live["data"]["viewer"]["practice"]["id"] == str(firm.practice_id)


async def test_a_socket_is_closed_once_its_token_has_expired(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, sql: Any, subject: str, clock: Any
) -> None:
    async def later(by: timedelta) -> None:
        await clock(by)
        await ask(trusting, firm.admin.key)  # the gateway hears of the time when it looks at the database

    await known_as(sql, firm, issuer, subject)
    async with caller_at(trusting.socket, issuer.token(subject)) as socket:
        await later(timedelta(minutes=6))
        code = await closing_code(socket)
    await later(-timedelta(minutes=6))

    assert code == 4403


async def test_an_issuer_that_is_away_throws_nobody_out(
    deployment: Deployment, issuer: IssuerServer, firm: Firm, sql: Any, subject: str
) -> None:
    await known_as(sql, firm, issuer, subject)
    token = issuer.token(subject)
    issuer.answer = lambda: PlainTextResponse("away", status_code=503)
    oidc = {"TIELINE_OIDC_ISSUER": issuer.url, "TIELINE_OIDC_AUDIENCE": AUDIENCE}
    try:
        with serving(deployment, **oidc) as starting:
            answer = await ask(starting, token)
            async with socket_to(starting.socket) as socket:
                await socket.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
                code = await closing_code(socket)
            by_key = await ask(starting, firm.admin.key)
    finally:
        issuer.answer = None

    assert refusal(answer) == (503, "UNAVAILABLE")
    assert (code, by_key.status_code) == (1013, 200)


async def test_no_token_is_ever_logged(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, sql: Any, subject: str
) -> None:
    await known_as(sql, firm, issuer, subject)
    good, bad = issuer.token(subject), issuer.token(subject, aud="https://other.example")
    assert (await ask(trusting, good)).status_code == 200
    assert refusal(await ask(trusting, bad)) == (401, "UNAUTHENTICATED")

    logged = trusting.process.logged()

    assert "identity.token_refused" in logged
    parts = [part for token in (good, bad) for part in token.split(".")[1:]]
    assert [part for part in (*parts, subject) if part in logged] == []
