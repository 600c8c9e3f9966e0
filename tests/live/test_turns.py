"""Who may go on in a turn of the event loop, where many want to at once."""

from __future__ import annotations

import asyncio

from tieline.events.turns import Turns


async def turns_of(count: int, turns: Turns, *, cancelled: frozenset[int] = frozenset()) -> list[list[int]]:
    """Who goes on together, when so many come at once and some of them leave again."""
    found: list[list[int]] = [[]]

    async def come(number: int) -> None:
        await turns.take()
        found[-1].append(number)

    tasks = [asyncio.create_task(come(number)) for number in range(count)]
    for _ in range(count + 2):
        await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
        found.append([])
    await asyncio.gather(*tasks, return_exceptions=True)
    return [together for together in found if together]


async def test_so_many_go_on_in_one_turn_of_the_loop_in_the_order_in_which_they_come() -> None:
    turns = Turns(most=3)

    assert await turns_of(8, turns) == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert await turns_of(2, turns) == [[0, 1]], "and later, too"


async def test_who_leaves_while_it_waits_takes_nobodys_turn() -> None:
    assert await turns_of(9, Turns(most=3), cancelled=frozenset({3, 4, 7})) == [[0, 1, 2], [5, 6, 8]]
