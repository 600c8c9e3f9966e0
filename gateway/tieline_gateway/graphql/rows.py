"""Many rows in one request: one honest outcome for each, also for those whose ids are none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tieline.errors import NotFound, Refused
from tieline_gateway.graphql.user_errors import UserError

Row = TypeVar("Row")
Asked = TypeVar("Asked")
Became = TypeVar("Became")
Outcome = TypeVar("Outcome")

WHY_REFUSED = "Why the row was refused; null for one that was not."
_OF_ALL_ROWS = frozenset({"signInId", "product"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a row stands in the input, counted from 0: `input.rows.3`."""

    rows: str
    number: int

    def error(self, refusal: Refused | None) -> UserError | None:
        """The refusal as data, with the path of what it is about: a part of the row, or what all rows share."""
        if refusal is None:
            return None
        row, part = f"{self.rows}.{self.number}", refusal.field
        if part in _OF_ALL_ROWS:
            return UserError.single(refusal, field=f"input.{part}")
        is_whole = part is None or part == self.rows
        return UserError.single(refusal, field=f"input.{row}" if is_whole else f"input.{row}.{part}")


async def outcomes_of(
    rows: Sequence[Row],
    read: Callable[[Row], Asked],
    ask: Callable[[list[Asked]], Awaitable[Sequence[Became]]],
    *,
    of: Callable[[Place, Row, Became], Outcome],
    unknown: Callable[[Place, Row, NotFound], Outcome],
    called: str = "rows",
) -> list[Outcome]:
    """In the order of the rows; `ask` gets those that can be read, all at once. Raises what `ask` raises.

    `called` is the name of the rows in the input.
    """
    asked = [_read(row, read) for row in rows]
    became = iter(await ask([one for one in asked if not isinstance(one, NotFound)]))
    placed = zip((Place(rows=called, number=number) for number in range(len(rows))), rows, asked, strict=True)
    return [
        unknown(place, row, one) if isinstance(one, NotFound) else of(place, row, next(became))
        for place, row, one in placed
    ]


def _read(row: Row, read: Callable[[Row], Asked]) -> Asked | NotFound:
    try:
        return read(row)
    except NotFound as unknown:
        return unknown
