"""Scopes are one inside of nothing, and end with their block: what is misused says so, and the pool stays whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.firm import Firm
from tests.support.polling import until
from tieline.clients.service import list_clients
from tieline.database import current, pool_figures, scope, system_scope
from tieline.ids import PracticeId
from tieline.principal import Principal
from tieline.work import system_work, unit_of_work


async def pool_is_whole() -> bool:
    figures = pool_figures()
    return figures["idle"] == figures["size"] > 0


@pytest.fixture
async def practice_id(firm: Firm) -> AsyncIterator[PracticeId]:
    """A practice; and whatever the test does with scopes, the pool is whole afterwards."""
    yield firm.practice_id
    await until(pool_is_whole, "all connections are idle")


async def test_a_scope_or_unit_of_work_inside_of_another_is_an_error(practice_id: PracticeId) -> None:
    principal = Principal.machine(practice_id)
    for outer in (scope(practice_id), system_scope(), unit_of_work(principal), system_work()):
        async with outer:
            for inner in (scope(practice_id), system_scope(), unit_of_work(principal), system_work()):
                with pytest.raises(RuntimeError, match="a scope is open already"):
                    await inner.__aenter__()
            with pytest.raises(RuntimeError, match="a scope is open already"):
                await list_clients(principal)


async def test_a_query_outside_of_a_scope_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no scope is open here"):
        current()


async def test_a_task_that_outlives_the_scope_it_was_made_in_can_neither_use_it_nor_open_its_own(
    practice_id: PracticeId,
) -> None:
    closed = asyncio.Event()

    async def use() -> None:
        await closed.wait()
        await current().value("SELECT 1")

    async def open_another() -> None:
        await closed.wait()
        await list_clients(Principal.machine(practice_id))

    async with scope(practice_id):
        tasks = [asyncio.create_task(use()), asyncio.create_task(open_another())]
    closed.set()
    using, opening = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(using, RuntimeError)
    assert "scope that this task was made in is over" in str(using)
    assert isinstance(opening, RuntimeError)
    assert "a scope is open already" in str(opening)
