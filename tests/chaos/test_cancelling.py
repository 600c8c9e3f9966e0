"""Ten thousand operations of callers cancelled, wherever and whenever: the pool stays whole, and nothing hangs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress

import pytest

from tests.chaos.cancelling import Flood, in_a_hurry
from tests.chaos.gauges import REST_SECONDS, at_rest, stopped
from tests.chaos.lines import cursor_of
from tests.chaos.portfolio import Portfolio, many
from tests.chaos.seeds import chance
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.polling import until
from tieline.clients.service import NewClient, create_client, get_client, list_clients, rename_client
from tieline.database import pool_figures
from tieline.errors import Busy
from tieline.ids import new_id
from tieline.practices.service import NewMember, create_practice, view
from tieline.principal import Principal, Role

ROW = "Cancellations"
NARROW = "2"
"""Connections to the database: one that leaks is felt at once."""
COMPLETED, LEFT, LATE = size(4_000, 160), size(4_000, 160), size(2_000, 80)
_AT_ONCE = 25
_TRIES = 30
_RUN = "SELECT id::text FROM sync_run WHERE practice_id = $1 LIMIT 1"
_CLIENTS = "SELECT name FROM client WHERE practice_id = $1"


async def test_operations_that_are_cancelled_leave_a_narrow_pool_whole_and_nothing_that_hangs(
    stand: Stand, figures: Figures
) -> None:
    stand.start(GATEWAY, "serve", TIELINE_DATABASE_POOL_SIZE=NARROW)
    portfolio = await many(stand, 1, seed="cancelled")
    flood = await flood_at(portfolio)
    await flood.complete(COMPLETED)
    await flood.leave(LEFT)
    await flood.strike(size(400, 10), await portfolio.admin.create_client("Held"))
    patient, _ = await at_rest(stand)
    is_served, stayed = await flood.is_served(), stopped(stand)
    stand.start(GATEWAY, "serve", prepare=in_a_hurry, TIELINE_DATABASE_POOL_SIZE=NARROW)
    await flood.hurry(LATE)
    hurried, _ = await at_rest(stand)
    stayed += stopped(stand)

    figures.at_least(f"{ROW}: operations completed before their answer", flood.completed, COMPLETED)
    figures.at_least(f"{ROW}: requests and sockets broken off by callers", flood.left, LEFT)
    figures.at_least(f"{ROW}: subscriptions among them", flood.listening, size(1_000, 20))
    figures.at_least(f"{ROW}: operations cancelled amid a statement", flood.struck, size(400, 10))
    figures.at_least(f"{ROW}: operations that ran out of time", flood.late, LATE)
    figures.at_least(f"{ROW}: completed, broken off and out of time", flood.together, COMPLETED + LEFT + LATE)
    figures.at_least(
        f"{ROW}: requests beside, broken off before all of them was sent", flood.begun, LEFT // 8
    )
    figures.exactly(f"{ROW}: connections that the pool may have", patient.limit, int(NARROW))
    figures.at_least(f"{ROW}: of these, told of as taken while one was", flood.taken, 1)
    figures.exactly(f"{ROW}: pooled connections that did not come back", patient.taken + hurried.taken, 0)
    figures.exactly(f"{ROW}: operations, requests and sockets that hang", flood.hung + stayed, 0)
    figures.exactly(f"{ROW}: sockets that answer nothing after them", flood.deaf, 0)
    figures.at_least(
        f"{ROW}: callers among them who made a client and waited", len(flood.made), size(300, 12)
    )
    figures.exactly(
        f"{ROW}: of these clients, those that are not there once", await strays(portfolio, flood), 0
    )
    figures.exactly(f"{ROW}: callers after them who are not served", int(not is_served), 0)
    figures.hold()


async def flood_at(portfolio: Portfolio) -> Flood:
    [run] = await portfolio.stand.rows(_RUN, portfolio.practice_id)
    return Flood(
        stand=portfolio.stand,
        key=portfolio.admin.key,
        draws=chance(ROW),
        after=await cursor_of(portfolio.admin),
        run_id=run["id"],
    )


async def strays(portfolio: Portfolio, flood: Flood) -> int:
    """Clients that were answered for and are not there, or of which there are several."""
    rows = await portfolio.stand.rows(_CLIENTS, portfolio.practice_id)
    there = Counter(row["name"] for row in rows)
    return sum(there[name] != 1 for name in flood.made)


@pytest.mark.usefixtures("opened")
async def test_calls_of_services_that_are_cancelled_leave_the_pool_whole(figures: Figures) -> None:
    first = NewMember(name="Ada Admin", email="ada@firm.invalid", role=Role.ADMIN)
    made = await create_practice(f"Firm {new_id()}", admin=first)
    principal, draws = Principal.machine(made.id), chance(f"{ROW} of services")
    client = await create_client(principal, NewClient(name="Renamed over and over"))
    most, cancelled, asked = size(1_000, 40), 0, 0

    async def one(number: int) -> None:
        calls = (
            lambda: list_clients(principal, first=5),
            lambda: get_client(principal, client.id),
            lambda: view(principal),
            lambda: create_client(principal, NewClient(name=f"Client {number}")),
            lambda: rename_client(principal, client.id, f"Name {number}"),
        )
        await calls[number % len(calls)]()

    async def cancel_one(number: int) -> bool:
        task = asyncio.create_task(one(number))
        asyncio.get_running_loop().call_later(draws.uniform(0, 0.02), task.cancel)
        with suppress(asyncio.CancelledError, Busy):
            await task
        return task.cancelled()

    while cancelled < most and asked < _TRIES * most:
        asked += _AT_ONCE
        cancelled += sum(await asyncio.gather(*(cancel_one(number) for number in range(_AT_ONCE))))

    figures.at_least(f"{ROW}: calls of services", cancelled, most)
    figures.exactly(f"{ROW}: pooled connections that did not come back to their process", await taken(), 0)
    figures.at_least(f"{ROW}: connections that the process has then", pool_figures()["size"], 1)
    figures.hold()


async def taken() -> int:
    """The connections of this process that are not idle, once all are, or after a while."""
    deadline = time.monotonic() + REST_SECONDS

    async def over() -> bool:
        pool = pool_figures()
        return pool["idle"] == pool["size"] or time.monotonic() > deadline

    await until(over, "all connections are idle, or it is late")
    return pool_figures()["size"] - pool_figures()["idle"]
