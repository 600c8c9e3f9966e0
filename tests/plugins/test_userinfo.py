"""Who signed in, asked of a pretended userinfo endpoint: told where it can be read, and nothing ever raised."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from tests.plugins.pretending import Pretender, Reply, pretending, said
from tests.plugins.providers import OAUTH
from tieline.plugins import ask_userinfo
from tieline.vault import Secret

ACCESS = "an-access-token-vuB7"
WHO = {"sub": "9f3", "email": "ada@example.invalid"}


async def told(pretender: Pretender, *, seconds: float = 60) -> dict[str, object]:
    endpoints = replace(OAUTH.endpoints, userinfo="https://who.abacus.example/v1/userinfo")
    async with httpx.AsyncClient(trust_env=False) as client:
        found = await ask_userinfo(
            client, endpoints.moved_to(pretender.url), Secret(ACCESS), provider="abacus", seconds=seconds
        )
    return dict(found)


async def test_what_is_told_comes_with_the_access_token_shown() -> None:
    async with pretending() as pretender:
        pretender.will(said(WHO))

        assert await told(pretender) == WHO

    [asked] = pretender.received
    assert (asked.method, asked.target) == ("GET", "/v1/userinfo")
    assert asked.headers["authorization"] == f"Bearer {ACCESS}"


@pytest.mark.parametrize(
    "reply",
    [
        said(WHO, status=403),
        said(WHO, status=503),
        said(WHO, status=302, location="/elsewhere"),
        said([WHO]),
        Reply(body=b"<html>"),
        Reply(body=b"\xff"),
        Reply(body=b"[" * 60_000),
        Reply(body=b'"' + b"x" * 100_000 + b'"'),
        Reply(silent=True),
        Reply(dropped=True),
    ],
    ids=["no", "down", "moved", "list", "page", "bytes", "nested", "long", "silent", "dropped"],
)
async def test_what_cannot_be_read_is_nothing_and_no_fault_and_no_token_is_logged(
    reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    async with pretending() as pretender:
        pretender.will(reply)

        assert await told(pretender, seconds=2 if reply.silent else 60) == {}

    assert len(pretender.received) == 1
    logged = "".join(capsys.readouterr())
    assert re.search(r"provider\.userinfo_unknown.*abacus", logged)
    assert ACCESS not in logged


async def test_where_there_is_no_such_endpoint_nobody_is_asked() -> None:
    async with pretending() as pretender, httpx.AsyncClient(trust_env=False) as client:
        endpoints = OAUTH.endpoints.moved_to(pretender.url)

        assert await ask_userinfo(client, endpoints, Secret(ACCESS), provider="abacus", seconds=1) == {}

    assert pretender.received == []
