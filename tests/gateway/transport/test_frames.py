"""Frames from strangers: each that is not of the protocol ends in a close with a code of the protocol."""

from __future__ import annotations

import contextlib
import json
import random
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from tieline_gateway.transport.sockets import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from structlog.typing import EventDict

    from tests.gateway.transport.conftest import Server

SUBSCRIBE = (
    '{"id":"1","type":"subscribe","payload":{"query":"query($v:JSON!){echo(value:$v)}","variables":{"v":1}}}'
)

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


async def test_bytes_that_are_not_text_are_closed_by_the_server_itself(server: Server) -> None:
    async with server.opened() as socket:
        await socket.connection.send(b'"\xff"', text=True)

        assert (await socket.closed())[0] == 1007


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


async def test_five_hundred_mutated_frames_are_answered_or_closed_with_a_code(
    server: Server, logged: list[EventDict]
) -> None:
    chance = random.Random(20_261)  # noqa: S311 - seeded
    seeds = [SUBSCRIBE, '{"type":"ping","payload":{"a":[1,"x"]}}', '{"type":"connection_init","payload":{}}']
    codes: dict[int | None, int] = {}

    for _ in range(500):
        async with server.opened() as socket:
            await socket.connection.send(mutated(chance, chance.choice(seeds)))
            with contextlib.suppress(ConnectionClosed):
                await socket.send({"type": "complete", "id": "no such id"})
                await socket.connection.send("the end")
            code, _ = await socket.closed()
            codes[code] = codes.get(code, 0) + 1

    assert set(codes) <= {4400, 4401, 4409, 4429}
    assert codes[4400] > 400
    assert logged == []
    await server.settled()


def mutated(chance: random.Random, frame: str) -> str:
    changed = list(frame)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(changed))
        match chance.randrange(4):
            case 0:
                changed[at : at + 1] = chr(chance.choice([0, 10, 34, 92, 123, 125, 0x2028, 0x1F600]))
            case 1:
                del changed[at : at + chance.randint(1, 6)]
            case 2:
                changed[at:at] = chance.choice(SPLINTERS)
            case _:
                changed[at:at] = changed[at : at + 10]
    return "".join(changed)


SPLINTERS = ["\\u0000", "\\ud800", "[[", "}}", '"', "null", "1e999", "{", '\\"', "...", "$v", "9" * 5_000]
