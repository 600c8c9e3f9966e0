"""Many rows in one request: one honest outcome for each, also for those whose ids are none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tieline.errors import NotFound

Row = TypeVar("Row")
Asked = TypeVar("Asked")
Became = TypeVar("Became")
Outcome = TypeVar("Outcome")


async def outcomes_of(
    rows: Sequence[Row],
    read: Callable[[Row], Asked],
    ask: Callable[[list[Asked]], Awaitable[Sequence[Became]]],
    *,
    of: Callable[[Row, Became], Outcome],
    unknown: Callable[[Row, NotFound], Outcome],
) -> list[Outcome]:
    """In the order of the rows; `ask` gets those that can be read, all at once. Raises what `ask` raises."""
    asked = [_read(row, read) for row in rows]
    became = iter(await ask([one for one in asked if not isinstance(one, NotFound)]))
    return [
        unknown(row, one) if isinstance(one, NotFound) else of(row, next(became))
        for row, one in zip(rows, asked, strict=True)
    ]


def _read(row: Row, read: Callable[[Row], Asked]) -> Asked | NotFound:
    try:
        return read(row)
    except NotFound as unknown:
        return unknown
