"""Media types and methods: what is read, what is answered, and with which status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.gateway.transport.conftest import Server

LEGACY = "application/json"
MODERN = "application/graphql-response+json"
VALID = b'{"query":"{hello}"}'


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", LEGACY),
        ("*/*", LEGACY),
        ("application/*", LEGACY),
        (LEGACY, LEGACY),
        (MODERN, MODERN),
        (MODERN.upper(), MODERN),
        (f"{MODERN}; charset=utf-8", MODERN),
        (f"{LEGACY}; charset=utf-8", LEGACY),
        (f"{LEGACY}, {MODERN}", MODERN),
        (f"{MODERN}, {LEGACY};q=0.9", MODERN),
        (f"{MODERN};q=0.5, {LEGACY}", LEGACY),
        (f"{MODERN}, */*;q=0.1", MODERN),
        (f"{MODERN};q=0, */*", LEGACY),
        (f"{LEGACY};q=0, */*", MODERN),
        ("text/html, */*;q=0.1", LEGACY),
        (f"nonsense;;;, {MODERN};q=1;x", MODERN),
    ],
)
async def test_the_media_type_that_is_liked_best_is_answered(
    server: Server, accept: str, answered: str
) -> None:
    response = await server.send(VALID, accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"data": {"hello": "hello world"}}


async def test_a_missing_accept_header_is_tolerated(server: Server) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        request = client.build_request(
            "POST", server.url, content=VALID, headers={"content-type": "application/json"}
        )
        del request.headers["accept"]
        response = await client.send(request)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{LEGACY}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/html", "image/*", f"{LEGACY};q=0", "*/*;q=0", f"{MODERN};q=0, {LEGACY};q=0", "x"]
)
async def test_nothing_acceptable_is_406(server: Server, accept: str) -> None:
    response = await server.send(VALID, accept=accept)

    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    "content_type", [LEGACY, "Application/JSON", f"{LEGACY}; charset=utf-8", f'{LEGACY};charset="UTF-8"']
)
async def test_json_in_utf_8_is_read(server: Server, content_type: str) -> None:
    response = await server.send(VALID, **{"content-type": content_type})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/graphql"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": f"{LEGACY}; charset=iso-8859-1"},
        {"content-type": f"{LEGACY}; charset=utf-16"},
        {"content-encoding": "gzip"},
    ],
)
async def test_other_bodies_are_415(server: Server, headers: dict[str, str]) -> None:
    response = await server.send(VALID, **headers)

    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(server: Server, method: str) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        response = await client.request(
            method, f"{server.url}?query={{hello}}", headers={"accept": "text/html"}
        )

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"query":"{"}', "GRAPHQL_PARSE_FAILED"),
        (b'{"query":"{nothing}"}', "GRAPHQL_VALIDATION_FAILED"),
        (b'{"query":"query($v:Int!){number(value:$v)}"}', "BAD_USER_INPUT"),
        (b'{"query":"query($v:Int!){number(value:$v)}","variables":{"v":"x"}}', "BAD_USER_INPUT"),
        (b'{"query":"{hello}","operationName":"Other"}', "OPERATION_RESOLUTION_FAILURE"),
        (b'{"query":"subscription{count}"}', "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_a_request_error_is_400_but_200_where_only_json_is_accepted(
    server: Server, body: bytes, code: str
) -> None:
    modern = await server.send(body, accept=MODERN)
    legacy = await server.send(body, accept=LEGACY)

    assert (modern.status_code, legacy.status_code) == (400, 200)
    assert modern.json() == legacy.json()
    assert modern.json()["errors"][0]["extensions"]["code"] == code
    assert "data" not in modern.json()


@pytest.mark.parametrize("accept", [LEGACY, MODERN])
async def test_errors_of_fields_are_200_with_what_data_there_is(server: Server, accept: str) -> None:
    some = await server.send(b'{"query":"{hello fails(how:\\"busy\\")}"}', accept=accept)
    none = await server.send(b'{"query":"{hello mustNotFail(how:\\"busy\\")}"}', accept=accept)

    assert (some.status_code, none.status_code) == (200, 200)
    assert some.json()["data"] == {"hello": "hello world", "fails": None}
    assert none.json()["data"] is None
    assert none.json()["errors"][0]["path"] == ["mustNotFail"]
