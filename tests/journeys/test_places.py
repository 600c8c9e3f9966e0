"""As many connections as a gateway may hold, and more: who was there stays, who looks after it is answered."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.counted import figure
from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import Firm
from tests.support.polling import until
from tests.support.sockets import Socket, caller_at, socket_to
from tests.support.source import ROOT
from tieline.ids import new_id
from tieline_gateway import places
from tieline_gateway.connections import KEPT_PLACES
from tieline_gateway.transport.endpoint import GraphQLTransport

PLACES = 12
RESERVED = 608
"""Of the limit of open files, as the manual says."""
FILES = RESERVED + PLACES
LONG = 600.0
"""Seconds: for as long as a test lasts strangers may say nothing, and it is told once that all places are taken."""
OURS = "https://app.example"
VIEWER = "{ viewer { role } }"
HEALTH = ["/livez", "/readyz", "/metrics"]
CODE = "TOO_MANY_CONNECTIONS"
FULL = "This process holds as many connections as it may; try again in 5 s."


def with_few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    assert GraphQLTransport.__init__.__kwdefaults__ is not None
    patch.dict(GraphQLTransport.__init__.__kwdefaults__, init_seconds=LONG).start()
    patch.object(places, "_SAY_AGAIN_SECONDS", LONG).start()


@pytest.fixture(scope="module")
def small(deployment: Deployment) -> Iterator[Gateway]:
    """A gateway whose limit of open files leaves places for twelve connections."""
    with serving(deployment, with_few_files) as running:
        yield running


@pytest.fixture
async def full(small: Gateway) -> AsyncIterator[list[Socket]]:
    """Strangers' sockets at all of its places, which have said nothing yet."""

    async def all_taken() -> bool:
        try:
            opened.append(await stack.enter_async_context(socket_to(small.socket)))
        except InvalidStatus:  # those who came before are still on their way out
            return False
        return len(opened) == PLACES

    opened: list[Socket] = []
    async with AsyncExitStack() as stack:
        await until(all_taken, "all places are taken")
        yield opened


def is_full(answer: dict[str, Any]) -> bool:
    [error] = answer.pop("errors")
    told = error["extensions"]
    return not answer and (error["message"], told["code"], told["retryAfter"]) == (FULL, CODE, 5)


def test_the_manual_says_how_many_open_files_a_gateway_needs() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()

    assert f"limit of open files has to be {10_000 + RESERVED:,} for as many" in manual
    assert f"it keeps {RESERVED} back" in manual


async def get(gateway: Gateway, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.get(f"{gateway.url}{path}")


async def test_a_socket_too_many_is_refused_before_its_handshake(
    small: Gateway,
    full: list[Socket],  # noqa: ARG001 - all places are taken
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket_to(small.socket):
            pass

    answer = refused.value.response
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert is_full(json.loads(answer.body or b""))


async def test_a_request_too_many_is_told_so_in_a_way_that_programs_and_pages_can_read(
    small: Gateway,
    full: list[Socket],  # noqa: ARG001 - all places are taken
    firm: Firm,
) -> None:
    headers = {"authorization": f"Bearer {firm.admin.key}", "origin": OURS}
    async with httpx.AsyncClient(timeout=30, headers=headers) as http:
        answer = await http.post(small.graphql, json={"query": VIEWER, "variables": {"pad": "x" * 900_000}})
        page = await http.get(f"{small.url}/oauth/xero/app/callback")
        hook = await http.post(f"{small.url}/webhooks/xero/{new_id()}", content=b"{}")
    limited = await figure(small.url, "tieline_webhooks_total", provider="none", outcome="limited")

    assert is_full(answer.json())
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "Reload this page in 5 s." in page.text
    assert (hook.content, limited) == (b"", 1)
    for each in (answer, page, hook):
        assert (each.status_code, each.headers["retry-after"]) == (503, "5")
        assert each.headers["connection"] == "close"


async def test_whoever_looks_after_the_gateway_is_answered_though_it_is_full(
    small: Gateway,
    full: list[Socket],  # noqa: ARG001 - all places are taken
) -> None:
    answers = [await get(small, path) for path in HEALTH * 3]

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    small.process.wait_for('"gateway.full"')
    assert small.process.logged().count('"gateway.full"') == 1


async def test_who_had_a_place_keeps_it_and_one_that_is_given_back_is_taken_again(
    small: Gateway, full: list[Socket], firm: Firm
) -> None:
    await full[0].acknowledged(firm.admin.key)
    answer = await full[0].ask(VIEWER)
    await full[1].connection.close()

    async def comes_in() -> bool:
        try:
            async with caller_at(small.socket, firm.admin.key) as another:
                return "data" in await another.ask(VIEWER)
        except InvalidStatus:
            return False

    assert answer == {"data": {"viewer": {"role": "ADMIN"}}}
    await until(comes_in, "the place is taken by somebody else")


@asynccontextmanager
async def silent(gateway: Gateway, number: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Connections on which nothing is said; the gateway finds all of them at the same moment."""
    gateway.process.popen.send_signal(signal.SIGSTOP)
    try:
        opened = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(number)]
    finally:
        gateway.process.popen.send_signal(signal.SIGCONT)
    try:
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.transport.abort()


async def is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        return not await reader.read()
    except ConnectionResetError:
        return True


async def test_whoever_looks_after_the_gateway_is_answered_though_strangers_renew_their_silence_beyond(
    small: Gateway,
    full: list[Socket],  # noqa: ARG001 - all places are taken
) -> None:
    answers: list[httpx.Response] = []
    for path in HEALTH * 2:
        async with silent(small, KEPT_PLACES * 2) as readers:
            answers.append(await get(small, path))
            assert len(readers) == KEPT_PLACES * 2

    assert [answer.status_code for answer in answers] == [200] * len(answers)


async def test_connections_beyond_are_cut_and_those_who_say_nothing_give_way_soon(
    small: Gateway,
    full: list[Socket],  # noqa: ARG001 - all places are taken
) -> None:
    async with silent(small, FILES) as readers:
        async with asyncio.timeout(30):
            cut = await asyncio.gather(*(is_cut(reader) for reader in readers))
        alive = await get(small, "/livez")

    assert cut == [True] * FILES
    assert alive.status_code == 200
    assert "Too many open files" not in small.process.logged()
