"""What one caller may ask for in a while: counted by cost before anything runs, and refused with how long to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.gateway.transport.conftest import MODERN, Call
from tieline import clock
from tieline_gateway.transport.operations import BASE_COST, CHARS_READ

if TYPE_CHECKING:
    from tests.gateway.transport.conftest import Serve, Server

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
WAIT = timedelta(seconds=2.2)
REFUSED = {
    "message": "You have asked for very much in a short time; ask again in 3 s.",
    "extensions": {"code": "RATE_LIMITED", "retryAt": "2031-05-04T03:02:04+00:00", "retryAfter": 3},
}


class Purse:
    """Takes down who spent what; those called `poor` have to wait."""

    def __init__(self) -> None:
        self.spent: list[tuple[str | None, int]] = []

    async def spends(self, context: Call, cost: int) -> timedelta | None:
        self.spent.append((context.token, cost))
        return WAIT if context.token == "poor" else None


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def metered(serve: Serve, purse: Purse, monkeypatch: pytest.MonkeyPatch) -> Server:
    """It is always now there."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return serve(spends=purse.spends)


async def test_each_operation_costs_what_its_document_does_and_a_little_besides(
    metered: Server, purse: Purse
) -> None:
    document = "query A{hello} query B{item{children(first:7){name}}}"
    for name in ("A", "B", "B"):
        await metered.post(document, token="rich", operationName=name)

    read, *run = [cost for _, cost in purse.spent]
    assert read == BASE_COST + len(document) // CHARS_READ
    assert run == [1, BASE_COST + 9, BASE_COST + 9]


async def test_the_rows_that_a_variable_asks_for_are_paid_for_and_no_more(
    metered: Server, purse: Purse
) -> None:
    document = "query($first:Int!){item{children(first:$first){name}}}"
    for first in (3, 3, 150):
        await metered.post(document, token="rich", variables={"first": first})

    assert [cost for _, cost in purse.spent[1:]] == [2 + 3, BASE_COST + 2 + 3, BASE_COST + 2 + 150]


@pytest.mark.parametrize("media", [MODERN, "application/json"])
async def test_who_asked_too_much_is_told_when_to_ask_again(metered: Server, media: str) -> None:
    answer = await metered.send(b'{"query":"{hello}"}', accept=media, authorization="Bearer poor")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert answer.json() == {"errors": [REFUSED]}


async def test_nothing_of_what_is_refused_runs_and_others_are_served(metered: Server) -> None:
    refused = await metered.post("mutation{write}", token="poor")
    served = await metered.post("{hello}", token="rich")

    assert refused.status_code == 429
    assert metered.seen.started == 0
    assert served.json() == {"data": {"hello": "hello world"}}


async def test_what_cannot_run_costs_the_reading_and_whoever_cannot_pay_is_not_read(
    metered: Server, purse: Purse
) -> None:
    wrong = "{nothing}" + " " * 91

    assert (await metered.post(wrong, token="rich")).status_code == 400
    assert (await metered.post(wrong, token="poor")).status_code == 429

    assert purse.spent == [("rich", BASE_COST + 10), ("poor", BASE_COST + 10)]


async def test_on_a_socket_the_operation_ends_with_it_and_the_socket_stays(
    metered: Server, purse: Purse
) -> None:
    async with metered.opened({"authorization": "Bearer poor"}) as socket:
        for operation, query in (("q", "{hello}"), ("s", "subscription{count}")):
            await socket.subscribe(operation, query)
            refused = await socket.receive()
            assert (refused["id"], refused["type"]) == (operation, "error")
            assert refused["payload"] == [REFUSED]
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}

    assert [cost for _, cost in purse.spent] == [BASE_COST, BASE_COST + 1]
    assert metered.seen.started == 0
