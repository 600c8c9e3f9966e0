"""Bodies from strangers: every one is answered with JSON and never with a server error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tieline_gateway.transport.http import MAX_BODY_BYTES

if TYPE_CHECKING:
    from tests.gateway.transport.conftest import Serve, Server

MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{hello}",
    "cut off": b'{"query":"{hello}"',
    "more than one value": b'{"query":"{hello}"}{}',
    "null": b"null",
    "number": b"5",
    "string": b'"{hello}"',
    "true": b"true",
    "empty list": b"[]",
    "batch": b'[{"query":"{hello}"}]',
    "empty object": b"{}",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep lists, not closed": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep variables": b'{"query":"{hello}","variables":{"v":' + b"[" * 64 + b"]" * 64 + b"}}",
    "many values": b"[" + b"{}," * 30_000 + b"{}]",
    "huge integer": b'{"query":"{hello}","variables":{"v":' + b"9" * 310 + b"}}",
    "many variables": b'{"query":"{hello}","variables":{"v":[' + b"1," * 19_999 + b"1]}}",
    "huge float": b'{"query":"{hello}","variables":{"v":1e999}}',
    "NaN": b'{"query":"{hello}","variables":{"v":NaN}}',
    "infinity": b'{"query":"{hello}","variables":{"v":-Infinity}}',
    "invalid UTF-8": b'{"query":"{hello}","variables":{"v":"\xff"}}',
    "overlong UTF-8": b'{"query":"{hello}","variables":{"v":"\xc0\x80"}}',
    "encoded surrogate": b'{"query":"{hello}","variables":{"v":"\xed\xa0\x80"}}',
    "UTF-16": '{"query":"{hello}"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"query":"{hello}"}',
    "repeated key": b'{"query":"{hello}","query":"{item{name}}"}',
    "repeated key inside": b'{"query":"{hello}","variables":{"v":{"a":1,"a":2}}}',
    "lone surrogate": b'{"query":"{hello}","variables":{"v":"\\ud800"}}',
    "lone surrogate in a key": b'{"query":"{hello}","variables":{"\\uDFFF":1}}',
    "lone surrogate in the query": b'{"query":"{hello} # \\ud800"}',
    "NUL": b'{"query":"{hello}","variables":{"v":"a\\u0000b"}}',
    "NUL in the query": b'{"query":"{hello} # \\u0000"}',
    "raw NUL": b'{"query":"{hello}\x00"}',
    "query null": b'{"query":null}',
    "query number": b'{"query":7}',
    "query list": b'{"query":["{hello}"]}',
    "query empty": b'{"query":"  "}',
    "variables list": b'{"query":"{hello}","variables":[]}',
    "variables string": b'{"query":"{hello}","variables":"{}"}',
    "variables zero": b'{"query":"{hello}","variables":0}',
    "variables false": b'{"query":"{hello}","variables":false}',
    "operationName number": b'{"query":"{hello}","operationName":1}',
    "operationName object": b'{"query":"{hello}","operationName":{}}',
    "extensions list": b'{"query":"{hello}","extensions":[]}',
    "extensions string": b'{"query":"{hello}","extensions":""}',
}

HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_malformed_body_is_400_and_says_why(server: Server, body: bytes, accept: str) -> None:
    response = await server.send(body, accept=accept)

    (error,) = response.json()["errors"]
    assert response.status_code == 400
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert 10 < len(error["message"]) < 100


@pytest.mark.parametrize(
    "body",
    [
        b' {"query" : "{hello}" , "variables" : null , "operationName" : null , "extensions" : null } \r\n',
        b'{"query":"{hello}","variables":{},"extensions":{"a":1},"unknown":true}',
        b'{"query":"{hello}","variables":{"v":"\\ud83d\\ude00 \\\\u0000 \\\\ud800"}}',
        b'{"query":"{hello}","variables":{"v":' + b"[" * 62 + b"]" * 62 + b"}}",
        b'{"query":"{hello}","variables":{"v":[' + b"{}," * 19_998 + b"{}]}}",
        b'{"query":"{hello}","variables":{"v":' + b"9" * 309 + b"}}",
        b'{"query":"{hello}","variables":{"v":[' + b"1," * 19_998 + b"1]}}",
    ],
)
async def test_an_unusual_but_sound_body_is_read(server: Server, body: bytes) -> None:
    response = await server.send(body)

    assert response.json() == {"data": {"hello": "hello world"}}


async def test_a_batch_is_told_to_come_one_by_one(server: Server) -> None:
    response = await server.send(b'[{"query":"{hello}"}]')

    assert "batches are not supported" in response.json()["errors"][0]["message"]


def padded(size: int) -> bytes:
    return b'{"query":"{hello}"}'.ljust(size)


async def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_413(server: Server) -> None:
    fits = await server.send(padded(MAX_BODY_BYTES))
    breaks = await server.send(padded(MAX_BODY_BYTES + 1))

    assert fits.status_code == 200
    assert breaks.status_code == 413
    assert breaks.json()["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"


async def test_a_body_without_a_length_is_refused_while_it_comes_in(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + f"{MAX_BODY_BYTES + 1:x}\r\n".encode()
        + b" " * (MAX_BODY_BYTES + 1)
    )
    answer = await asyncio.wait_for(reader.read(), 10)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"\r\nconnection: close\r\n" in answer
    writer.close()
    await writer.wait_closed()


async def test_a_length_over_the_limit_is_refused_before_any_byte(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(HEAD + b"Content-Length: " + b"9" * 18 + b"\r\n\r\n")
    status, answer = await asyncio.wait_for(answered(reader), 10)

    assert status == 413
    assert b'"code":"BODY_TOO_LARGE"' in answer
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_does_not_arrive_is_408(serve: Serve) -> None:
    server = serve(body_seconds=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(HEAD + b"Content-Length: 99\r\n\r\n{")
    answer = await asyncio.wait_for(reader.read(), 10)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"BODY_TIMEOUT"' in answer
    writer.close()
    await writer.wait_closed()


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split(" ")[1]), await reader.readexactly(length)
