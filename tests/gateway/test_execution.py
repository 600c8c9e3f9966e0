"""A page of many rows leaves turns to others, and asks for what its rows need in one go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count

import pytest
import strawberry
from strawberry.dataloader import DataLoader

from tieline_gateway.graphql.execution import FEW, InTurns
from tieline_gateway.tasks import close_what_never_began

ROWS = 200
_ROW_SECONDS = 0.001
_FEWEST_TURNS = 5


@pytest.fixture
async def closing() -> AsyncIterator[None]:
    """Tasks that are cancelled before they began close what they hold, as in a gateway."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    close_what_never_began()
    yield
    loop.set_task_factory(before)


@strawberry.type
class Row:
    number: int

    @strawberry.field
    def slow(self) -> int:
        time.sleep(_ROW_SECONDS)
        return self.number

    @strawberry.field
    async def double(self, info: strawberry.Info[DataLoader[int, int], None]) -> int:
        return await info.context.load(self.number)


@strawberry.type
class Query:
    @strawberry.field
    async def rows(self, count: int) -> list[Row]:
        return [Row(number=number) for number in range(count)]

    @strawberry.field
    async def few(self) -> list[Row]:
        await asyncio.sleep(0)
        return [Row(number=number) for number in range(FEW)]

    @strawberry.field
    async def broken(self) -> list[Row | None]:
        return [Row(number=number) if number != ROWS // 2 else None for number in range(ROWS)]


@strawberry.type
class Failing:
    @strawberry.field
    async def at_once(self) -> int:
        raise ValueError

    @strawberry.field
    async def beside(self) -> int:
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def first(self) -> Failing | None:
        await asyncio.sleep(0)
        return Failing()

    @strawberry.mutation
    async def rows(self, count: int) -> list[Row]:
        return [Row(number=number) for number in range(count)]

    @strawberry.mutation
    async def second(self, info: strawberry.Info[list[str], None]) -> int:
        info.context.append("second")
        return 2


SCHEMA = strawberry.Schema(Query, Mutation, execution_context_class=InTurns)


async def told(query: str, batches: list[int], **variables: int) -> dict[str, object]:
    async def load(keys: list[int]) -> list[int]:
        batches.append(len(keys))
        return [2 * key for key in keys]

    answer = await SCHEMA.execute(query, variable_values=variables, context_value=DataLoader(load))
    assert answer.errors is None
    assert answer.data is not None
    return answer.data


@pytest.mark.parametrize(("count", "fewest"), [(ROWS, ROWS // 10), (FEW, 0)])
async def test_others_have_turns_while_many_rows_are_answered_and_loaders_are_asked_once(
    count: int, fewest: int
) -> None:
    turns, batches = 0, list[int]()

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(others())
    data = await told("query($count: Int!) { rows(count: $count) { slow double } }", batches, count=count)
    beside.cancel()
    with suppress(asyncio.CancelledError):
        await beside

    assert data == {"rows": [{"slow": number, "double": 2 * number} for number in range(count)]}
    assert batches == [count]
    assert turns > fewest


async def test_rows_keep_their_places_and_what_is_null_stays_null() -> None:
    data = await told("{ broken { number } }", [])

    rows = [None if number == ROWS // 2 else {"number": number} for number in range(ROWS)]
    assert data == {"broken": rows}


async def test_who_runs_out_of_time_amid_many_rows_leaves_nothing_of_them_behind() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10 * _ROW_SECONDS):
            await told("{ rows(count: 200) { slow double } }", [])


@pytest.mark.usefixtures("closing")
async def test_who_leaves_at_any_turn_leaves_no_field_behind_that_was_never_awaited() -> None:
    left = 0
    for turns in count():
        leaving = asyncio.create_task(told("{ rows(count: 3) { double } few { double again: double } }", []))
        for _ in range(turns):
            await asyncio.sleep(0)
        if not leaving.cancel():
            break
        left += 1
        with pytest.raises(asyncio.CancelledError):
            await leaving

    assert left > _FEWEST_TURNS


@pytest.mark.usefixtures("closing")
@pytest.mark.parametrize("first", ["first { atOnce beside }", "rows(count: 30) { slow }"])
async def test_after_who_leaves_nothing_more_is_begun(first: str) -> None:
    left = 0
    for turns in count():
        begun = list[str]()
        leaving = asyncio.create_task(SCHEMA.execute(f"mutation {{ {first} second }}", context_value=begun))
        for _ in range(turns):
            await asyncio.sleep(0)
        if "second" in begun:
            await leaving
            break
        leaving.cancel()
        left += 1
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert "second" not in begun

    assert left > 1


def test_where_no_loop_runs_many_rows_are_answered_at_once() -> None:
    data = SCHEMA.execute_sync("{ __schema { types { name } } }").data

    assert data is not None
    names = strawberry.Schema(Query, Mutation).execute_sync("{ __schema { types { name } } }").data
    assert data == names
