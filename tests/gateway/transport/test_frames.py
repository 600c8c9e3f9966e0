"""Frames from strangers: each that is not of the protocol ends in a close with a code of the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from tests.gateway.transport.conftest import Call, Seen
from tieline_gateway.connections import BoundedSocket
from tieline_gateway.transport.frames import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from structlog.typing import EventDict

    from tests.gateway.transport.conftest import Serve, Server
    from tieline_gateway.transport.incoming import Credentials

MALFORMED: dict[str, str | bytes] = {
    "empty": "",
    "not JSON": "hello",
    "cut off": '{"type":"ping"',
    "binary": b'{"type":"ping"}',
    "binary, not UTF-8": b"\xff\xfe",
    "null": "null",
    "number": "5",
    "string": '"ping"',
    "list": '[{"type":"ping"}]',
    "no type": "{}",
    "type null": '{"type":null}',
    "type number": '{"type":1}',
    "type list": '{"type":["ping"]}',
    "type object": '{"type":{"ping":1}}',
    "unknown type": '{"type":"start","id":"1"}',
    "type of the server": '{"type":"next","id":"1","payload":{}}',
    "long unknown type": '{"type":"' + "x" * 1_000 + '"}',
    "deep JSON": "[" * 100_000,
    "deep payload": '{"type":"ping","payload":{"a":' + "[" * 70 + "]" * 70 + "}}",
    "huge integer": '{"type":"ping","payload":{"a":' + "9" * 5_000 + "}}",
    "huge float": '{"type":"ping","payload":{"a":1e999}}',
    "NaN": '{"type":"ping","payload":{"a":NaN}}',
    "lone surrogate": '{"type":"ping","payload":{"a":"\\ud800"}}',
    "lone surrogate as id": '{"type":"complete","id":"\\udfff"}',
    "NUL": '{"type":"complete","id":"\\u0000"}',
    "repeated key": '{"type":"ping","type":"pong"}',
    "ping payload list": '{"type":"ping","payload":[]}',
    "pong payload text": '{"type":"pong","payload":"x"}',
    "init payload list": '{"type":"connection_init","payload":[]}',
    "init payload zero": '{"type":"connection_init","payload":0}',
    "complete without id": '{"type":"complete"}',
    "complete id list": '{"type":"complete","id":[]}',
    "subscribe without id": '{"type":"subscribe","payload":{"query":"{hello}"}}',
    "subscribe id number": '{"id":1,"type":"subscribe","payload":{"query":"{hello}"}}',
    "subscribe id empty": '{"id":"","type":"subscribe","payload":{"query":"{hello}"}}',
    "subscribe id object": '{"id":{},"type":"subscribe","payload":{"query":"{hello}"}}',
    "subscribe without payload": '{"id":"1","type":"subscribe"}',
    "subscribe payload null": '{"id":"1","type":"subscribe","payload":null}',
    "subscribe payload list": '{"id":"1","type":"subscribe","payload":[]}',
    "subscribe without query": '{"id":"1","type":"subscribe","payload":{}}',
    "query number": '{"id":"1","type":"subscribe","payload":{"query":1}}',
    "query object": '{"id":"1","type":"subscribe","payload":{"query":{}}}',
    "variables list": '{"id":"1","type":"subscribe","payload":{"query":"{hello}","variables":[]}}',
    "variables text": '{"id":"1","type":"subscribe","payload":{"query":"{hello}","variables":"x"}}',
    "operationName list": '{"id":"1","type":"subscribe","payload":{"query":"{hello}","operationName":[]}}',
    "extensions text": '{"id":"1","type":"subscribe","payload":{"query":"{hello}","extensions":"x"}}',
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("acknowledged", [False, True])
async def test_a_malformed_frame_is_closed_with_4400_and_a_reason(
    server: Server, logged: list[EventDict], frame: str | bytes, *, acknowledged: bool
) -> None:
    async with server.opened() if acknowledged else server.connected() as socket:
        await socket.connection.send(frame)
        code, reason = await socket.closed()

    assert code == 4400
    assert 10 < len(reason or "") <= 123
    assert logged == []


@pytest.mark.parametrize("pieces", [[b'"\xff"'], [b'"\xc3', b'"'], [b"\xc3", b"\xa9", b"\xff"]])
async def test_bytes_that_are_not_text_are_closed_with_1007_and_are_no_error_of_ours(
    server: Server, caplog: pytest.LogCaptureFixture, pieces: list[bytes]
) -> None:
    async with server.opened() as socket:
        await socket.connection.send(pieces, text=True)

        assert (await socket.closed())[0] == 1007
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("letter", ["x", "é"])
async def test_a_frame_of_the_largest_size_is_read_and_one_byte_more_is_closed_with_1009(
    server: Server, letter: str
) -> None:
    frame = json.dumps({"type": "ping", "payload": {"a": letter}}, ensure_ascii=False)
    size = len(frame.encode())
    largest = frame + " " * (MAX_FRAME_BYTES - size)

    async with server.opened() as socket:
        await socket.connection.send(largest)
        assert await socket.receive() == {"type": "pong"}
        await socket.connection.send(largest + " ")
        assert (await socket.closed())[0] == 1009


async def test_a_frame_far_over_the_limit_is_closed_with_1009(server: Server) -> None:
    async with server.opened() as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.connection.send(" " * 5_000_000)

        assert (await socket.closed())[0] == 1009


async def test_what_is_said_to_a_socket_in_the_moment_of_a_frame_that_is_none_is_no_error(
    serve: Serve, logged: list[EventDict], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, broken = threading.Event(), asyncio.Event()
    ended = BoundedSocket.handle_parser_exception

    async def slow(_: Credentials) -> Call:
        looking.set()
        await broken.wait()
        return Call(seen=Seen(), token=None)

    def breaks(self: BoundedSocket) -> None:
        broken.set()  # the acknowledgement is next, before the line is known to be closed
        ended(self)

    monkeypatch.setattr(BoundedSocket, "handle_parser_exception", breaks)
    server = serve(context=slow)
    async with server.connected() as socket:
        await socket.send({"type": "connection_init"})
        await asyncio.to_thread(looking.wait, 10)
        socket.connection.transport.write(b"\x83\x80\x00\x00\x00\x00")

        assert (await socket.closed())[0] == 1002
    async with asyncio.timeout(10):
        while server.uvicorn.server_state.tasks:  # noqa: ASYNC110 - the server runs in another thread
            await asyncio.sleep(0.01)
    assert logged == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
