"""graphql-transport-ws: who may open a socket, one context per operation, and nothing left running."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus

from tieline.rates import Rate
from tieline_gateway.transport import frames
from tieline_gateway.transport.sockets import MAX_OPERATIONS

if TYPE_CHECKING:
    from structlog.typing import EventDict

    from tests.gateway.transport.conftest import Serve, Server


async def test_a_subscription_sends_its_events_and_completes(server: Server) -> None:
    async with server.opened() as socket:
        await socket.subscribe("s", "subscription($to:Int!){count(to:$to)}", variables={"to": 2})
        received = [await socket.receive() for _ in range(3)]

    assert received == [
        {"id": "s", "type": "next", "payload": {"data": {"count": 0}}},
        {"id": "s", "type": "next", "payload": {"data": {"count": 1}}},
        {"id": "s", "type": "complete"},
    ]


async def test_queries_and_mutations_run_on_sockets_too(server: Server) -> None:
    async with server.opened() as socket:
        await socket.subscribe("q", "{hello}")
        query = [await socket.receive(), await socket.receive()]
        await socket.subscribe("q", "query A{hello} mutation B{write}", operationName="B")
        mutation = [await socket.receive(), await socket.receive()]

    assert query[0]["payload"] == {"data": {"hello": "hello world"}}
    assert mutation[0]["payload"] == {"data": {"write": "written"}}
    assert query[1] == mutation[1] == {"id": "q", "type": "complete"}


async def test_ping_is_answered_at_any_time(server: Server) -> None:
    async with server.connected() as socket:
        await socket.send({"type": "ping", "payload": {"a": 1}})
        before = await socket.receive()
        await socket.send({"type": "connection_init"})
        await socket.send({"type": "pong"})
        await socket.send({"type": "ping"})
        after = [await socket.receive(), await socket.receive()]

    assert before == {"type": "pong"}
    assert after == [{"type": "connection_ack"}, {"type": "pong"}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("query A{hello} query B{hello}", "OPERATION_RESOLUTION_FAILURE"),
        ("query($v:Int!){number(value:$v)}", "BAD_USER_INPUT"),
        ("{item" + "{parent" * 20 + "{name}" + "}" * 21, "QUERY_TOO_DEEP"),
        ('subscription{breaks(how:"x",nothing:1)}', "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_an_operation_that_cannot_run_ends_alone_and_its_socket_stays(
    server: Server, query: str, code: str
) -> None:
    async with server.opened() as socket:
        await socket.subscribe("bad", query)
        refused = await socket.receive()
        await socket.subscribe("bad", "{hello}")
        answered = await socket.receive()

    assert (refused["id"], refused["type"]) == ("bad", "error")
    assert {error["extensions"]["code"] for error in refused["payload"]} == {code}
    assert answered["payload"] == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize(
    ("how", "code", "count"), [("not found", "NOT_FOUND", 0), ("busy", "BUSY", 0), ("thing", "INTERNAL", 1)]
)
async def test_a_subscription_that_breaks_is_masked_like_everything_else(
    server: Server, logged: list[EventDict], how: str, code: str, count: int
) -> None:
    async with server.opened() as socket:
        await socket.subscribe("s", "subscription($how:String!){breaks(how:$how)}", variables={"how": how})
        received = [await socket.receive() for _ in range(3)]

    assert received[0]["payload"] == {"data": {"breaks": 0}}
    assert [error["extensions"]["code"] for error in received[1]["payload"]["errors"]] == [code]
    assert "secret" not in str(received)
    assert received[2] == {"id": "s", "type": "complete"}
    assert len(logged) == count


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": "Bearer good"},
        {"authorization": "bearer good", "other": 1},
        {"AUTHORIZATION": "Bearer good"},
    ],
)
async def test_the_token_of_connection_init_says_who_asks(server: Server, payload: dict[str, Any]) -> None:
    async with server.opened(payload) as socket:
        await socket.subscribe("q", "{context}")
        answer = await socket.receive()

    assert answer["payload"]["data"]["context"].endswith(" good")


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": "good"},
        {"Authorization": ""},
        {"Authorization": 7},
        {"Authorization": ["Bearer good"]},
        {"Authorization": "Bearer good", "authorization": "Bearer good"},
    ],
)
async def test_a_stranger_is_closed_with_4403(server: Server, payload: dict[str, Any]) -> None:
    async with server.connected() as socket:
        await socket.send({"type": "connection_init", "payload": payload})

        assert await socket.closed() == (4403, "Forbidden")


async def test_a_bug_while_opening_is_closed_with_4500(server: Server, logged: list[EventDict]) -> None:
    async with server.connected() as socket:
        await socket.send({"type": "connection_init", "payload": {"Authorization": "Bearer bug"}})
        code, reason = await socket.closed()

    assert code == 4500
    assert "secret" not in str(reason)
    assert [event["event"] for event in logged] == ["graphql.operation_failed"]


async def test_each_operation_of_a_socket_has_a_context_of_its_own(server: Server) -> None:
    async with server.opened({"Authorization": "Bearer good"}) as socket:
        answers = []
        for number in range(3):
            await socket.subscribe(f"q{number}", "{a:context b:context}")
            answers.append((await socket.receive())["payload"]["data"])
            await socket.receive()

    for answer in answers:
        assert sorted(value.split(" ", 1)[1] for value in answer.values()) == ["1 good", "2 good"]


async def test_a_revoked_caller_gets_an_error_and_4403_at_the_next_operation(server: Server) -> None:
    async with server.opened({"Authorization": "Bearer revocable"}) as socket:
        await socket.subscribe("before", "{hello}")
        before = [await socket.receive(), await socket.receive()]
        server.seen.revoked.add("revocable")
        await socket.subscribe("after", "{hello}")
        after = await socket.receive()
        closed = await socket.closed()

    assert before[0]["type"] == "next"
    assert (after["type"], after["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
    assert closed == (4403, "Forbidden")


async def test_a_caller_found_unknown_during_a_subscription_is_closed_with_4403(server: Server) -> None:
    async with server.opened() as socket:
        await socket.subscribe("s", 'subscription{breaks(how:"unauthenticated")}')
        received = [await socket.receive(), await socket.receive()]
        closed = await socket.closed()

    assert received[1]["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert closed == (4403, "Forbidden")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("https://app.example", True),
        ("own", True),
        ("https://evil.example", False),
        ("https://app.example.evil.example", False),
        ("http://app.example", False),
        ("https://app.example:444", False),
        ("null", False),
        ("", False),
    ],
)
async def test_only_pages_of_known_origins_may_open_sockets(
    server: Server, origin: str | None, *, allowed: bool
) -> None:
    own = f"http://127.0.0.1:{server.port}"
    headers = {} if origin is None else {"Origin": own if origin == "own" else origin}

    if allowed:
        async with server.opened(additional_headers=headers):
            return
    with pytest.raises(InvalidStatus) as refused:
        async with server.connected(additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"], ["graphql-sse", "other"]])
async def test_other_protocols_are_closed_with_4406(server: Server, protocols: list[str] | None) -> None:
    async with server.connected(subprotocols=protocols) as socket:
        assert (await socket.closed())[0] == 4406


async def test_a_socket_that_does_not_initialise_is_closed_with_4408(serve: Serve) -> None:
    async with serve(init_seconds=0.1).connected() as socket:
        assert (await socket.closed())[0] == 4408


async def test_the_order_of_the_protocol_is_kept(server: Server) -> None:
    async with server.connected() as early:
        await early.subscribe("s", "{hello}")
        assert (await early.closed())[0] == 4401
    async with server.opened() as twice:
        await twice.send({"type": "connection_init"})
        assert (await twice.closed())[0] == 4429
    async with server.opened() as same:
        for _ in range(2):
            await same.subscribe("x" * 500, "subscription{forever}")
        code, reason = await same.closed()
        assert code == 4409
        assert len(reason or "") <= 123
    await server.settled()


async def test_a_socket_may_run_so_many_operations_at_once(server: Server) -> None:
    async with server.opened() as socket:
        for number in range(MAX_OPERATIONS):
            await socket.subscribe(str(number), "subscription{forever}")
            await socket.receive()
        await socket.subscribe("more", "{hello}")
        refused = await socket.receive()
        await socket.send({"id": "0", "type": "complete"})
        await socket.subscribe("more", "{hello}")
        answered = await socket.receive()

    told = refused["payload"][0]["extensions"]
    assert (told["code"], told["retryAfter"]) == ("TOO_MANY_OPERATIONS", 5)
    assert answered["payload"] == {"data": {"hello": "hello world"}}
    await server.settled()


async def test_a_socket_that_sends_frames_without_end_is_closed_with_4429(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "FRAMES", Rate(per_second=0.001, burst=4))

    async with server.opened() as socket:
        await socket.subscribe("s", "{hello}")
        for _ in range(4):
            await socket.send({"type": "ping"})
        code, reason = await socket.closed()

    assert (code, reason) == (4429, "A socket may send 0.001 frames a second, long ones fewer.")


@pytest.mark.parametrize("query", ["subscription{forever}", "{wait(seconds:60)}"])
async def test_a_thousand_operations_begun_and_stopped_leave_nothing_running(
    server: Server, query: str, logged: list[EventDict]
) -> None:
    async with server.opened() as socket:
        for number in range(1_000):
            await socket.subscribe(str(number), query)
            await socket.send({"id": str(number), "type": "complete"})
        await socket.subscribe("last", "{hello}")
        while (received := await socket.receive())["id"] != "last":
            assert received["type"] == "next"
        await server.settled()

    assert received["payload"] == {"data": {"hello": "hello world"}}
    assert logged == []


@pytest.mark.parametrize("abrupt", [False, True])
async def test_operations_end_with_their_socket(server: Server, *, abrupt: bool) -> None:
    async with server.opened() as socket:
        for number in range(10):
            await socket.subscribe(str(number), "subscription{forever}")
            await socket.receive()
        assert server.seen.running == 10
        if abrupt:
            socket.connection.transport.abort()

    await server.settled()


async def test_a_query_on_a_socket_has_its_time_and_a_subscription_is_not_bound_by_it(serve: Serve) -> None:
    server = serve(operation_seconds=0.2)

    async with server.opened() as socket:
        await socket.subscribe("s", "subscription{forever}")
        await socket.receive()
        await socket.subscribe("q", "{wait(seconds:60)}")
        late = await socket.receive()
        await asyncio.sleep(0.2)
        running = server.seen.running

    assert late["payload"][0]["extensions"]["code"] == "TIMEOUT"
    assert running == 1


async def test_a_server_that_stops_closes_sockets_with_1012_and_ends_their_operations(serve: Serve) -> None:
    server = serve()

    async with server.opened() as socket:
        await socket.subscribe("s", "subscription{forever}")
        await socket.receive()
        server.uvicorn.should_exit = True
        code, _ = await socket.closed()

    assert code == 1012
    await server.settled()
