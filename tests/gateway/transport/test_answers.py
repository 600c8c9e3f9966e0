"""What callers are told: refusals in their own words, everything else masked and logged once, in time."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from graphql import get_introspection_query

if TYPE_CHECKING:
    from structlog.typing import EventDict

    from tests.gateway.transport.conftest import Serve, Server

INTERNAL = {
    "message": "Something went wrong on our side; the correlation id is correlation-1.",
    "extensions": {"code": "INTERNAL"},
}


@pytest.mark.parametrize(
    ("how", "message", "extensions"),
    [
        (
            "not found",
            "There is no client with the id 42, or you may not see it.",
            {"code": "NOT_FOUND", "field": "input.clientId"},
        ),
        ("invalid", "This does not fit.", {"code": "INVALID", "field": "input.name"}),
        (
            "busy",
            "Somebody else changed the same thing at the same moment; try again.",
            {"code": "BUSY", "retryAfter": 1},
        ),
    ],
)
async def test_a_refusal_keeps_its_words(
    server: Server, logged: list[EventDict], how: str, message: str, extensions: dict[str, Any]
) -> None:
    response = await server.post("query($how:String!){fails(how:$how)}", variables={"how": how})

    (error,) = response.json()["errors"]
    at = error["extensions"].pop("retryAt", None)
    assert error["message"] == message
    assert error["extensions"] == extensions
    assert (at is not None) == ("retryAfter" in extensions)
    assert error["path"] == ["fails"]
    assert error["locations"] == [{"line": 1, "column": 21}]
    assert logged == []


async def test_anything_else_is_masked_and_logged_once_without_the_request(
    server: Server, logged: list[EventDict], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = await server.post(
            "query($how:String!,$v:JSON!){fails(how:$how) echo(value:$v)}",
            variables={"how": "thing", "v": "private"},
        )

    (error,) = response.json()["errors"]
    assert {**INTERNAL, "path": ["fails"], "locations": error["locations"]} == error
    assert response.json()["data"] == {"fails": None, "echo": "private"}
    (event,) = logged
    assert (event["event"], event["kind"]) == ("graphql.operation_failed", "RuntimeError")
    assert str(event["exc_info"]) == "secret thing"
    assert "private" not in repr(event)
    assert [record for record in caplog.records if record.name.startswith("strawberry")] == []


@pytest.mark.parametrize("query", ["{tooBig}", '{echo(value:1) mustNotFail(how:"x")}'])
async def test_values_of_ours_that_do_not_fit_are_our_fault(
    server: Server, logged: list[EventDict], query: str
) -> None:
    response = await server.post(query)

    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["INTERNAL"]
    assert len(logged) == 1


async def test_a_value_of_the_caller_found_not_to_fit_while_running_is_the_callers(
    server: Server, logged: list[EventDict]
) -> None:
    response = await server.post("query($v:Int=1){number(value:$v)}", variables={"v": None})

    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert logged == []


async def test_a_message_that_repeats_much_of_the_request_is_cut(server: Server) -> None:
    response = await server.post("query($v:Int!){number(value:$v)}", variables={"v": "x" * 10_000})

    assert len(response.json()["errors"][0]["message"]) <= 500


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("Bearer good", 200, None),
        ("bearer good", 200, None),
        ("Bearer wrong", 401, "UNAUTHENTICATED"),
        ("Bearer", 401, "UNAUTHENTICATED"),
        ("Bearer two tokens", 401, "UNAUTHENTICATED"),
        ("Bearer b@d", 401, "UNAUTHENTICATED"),
        ("Basic Z29vZA==", 401, "UNAUTHENTICATED"),
        ("good", 401, "UNAUTHENTICATED"),
        ("Bearer busy", 503, "BUSY"),
        ("Bearer bug", 500, "INTERNAL"),
    ],
)
async def test_the_hook_decides_who_asks(
    server: Server, authorization: str, status: int, code: str | None
) -> None:
    body = b'{"query":"{hello}"}'
    async with httpx.AsyncClient(timeout=20) as client:
        response = await client.post(
            server.url,
            content=body,
            headers=[("content-type", "application/json"), ("authorization", authorization)],
        )

    assert response.status_code == status
    assert [error["extensions"]["code"] for error in response.json().get("errors", [])] == (
        [code] if code else []
    )
    assert response.headers.get("retry-after") == ("1" if code == "BUSY" else None)
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert "secret" not in response.text


async def test_two_authorization_headers_are_refused(server: Server) -> None:
    headers = [("authorization", "Bearer good"), ("authorization", "Bearer other")]
    async with httpx.AsyncClient(timeout=20) as client:
        response = await client.post(server.url, json={"query": "{hello}"}, headers=headers)

    assert response.status_code == 401


async def test_strangers_are_refused_before_their_body_is_read(server: Server) -> None:
    response = await server.send(b"not JSON", authorization="Bearer wrong")

    assert response.status_code == 401


async def test_each_operation_has_a_context_of_its_own(server: Server) -> None:
    answers = await asyncio.gather(*(server.post("{a:context b:context}", token=f"t{n}") for n in range(5)))

    for number, answer in enumerate(answers):
        data = answer.json()["data"]
        assert sorted(value.split(" ", 1)[1] for value in data.values()) == [f"1 t{number}", f"2 t{number}"]


async def test_an_operation_that_takes_too_long_is_cancelled(serve: Serve) -> None:
    server = serve(operation_seconds=0.2)

    query = await server.post("{wait(seconds:60)}")
    mutation = await server.post("mutation{write(seconds:60)}")
    hook = await server.post("{hello}", token="slow")

    for response in (query, mutation, hook):
        assert response.status_code == 503
        assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
        assert "0.2 s" in response.json()["errors"][0]["message"]
    assert (server.seen.started, server.seen.cancelled, server.seen.running) == (2, 2, 0)


async def hang_up(server: Server, query: str) -> None:
    body = json.dumps({"query": query}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    started = server.seen.started
    writer.write(head.encode() + b"\r\n\r\n" + body)
    async with asyncio.timeout(10):
        while server.seen.started == started:  # noqa: ASYNC110 - the server runs in another thread
            await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    await server.settled()


async def test_a_query_nobody_waits_for_is_cancelled_but_a_mutation_runs_to_its_end(serve: Serve) -> None:
    server = serve()

    await hang_up(server, "{wait(seconds:60)}")
    assert (server.seen.cancelled, server.seen.finished) == (1, 0)

    await hang_up(server, "mutation{write(seconds:0.3)}")
    assert (server.seen.cancelled, server.seen.finished) == (1, 1)


async def test_introspection_works_in_development_only(serve: Serve, server: Server) -> None:
    development = await serve(development=True).post(get_introspection_query())
    production = await server.post(get_introspection_query())

    assert {kind["name"] for kind in development.json()["data"]["__schema"]["types"]} >= {"Query", "Item"}
    assert production.status_code == 400
    assert (await server.post("{__typename}")).json() == {"data": {"__typename": "Query"}}


async def test_a_document_that_asks_too_much_is_told_so(server: Server) -> None:
    response = await server.post("{item{pages(first:200){pages(first:200){pages(first:200){name}}}}}")

    (error,) = response.json()["errors"]
    assert response.status_code == 400
    assert error["extensions"] == {
        "code": "QUERY_TOO_COSTLY",
        "bound": "cost",
        "limit": 50_000,
        "found": 8_040_202,
    }
