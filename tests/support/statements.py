"""The statements that this process sends, taken down as they go over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from tieline.database.connect import pool

_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SET ", "SELECT offset_by FROM clock")


@dataclass(frozen=True, kw_only=True)
class Statement:
    sql: str
    arguments: tuple[Any, ...]

    @property
    def is_data(self) -> bool:
        """Whether it is about rows, and not about the scope around them."""
        return not self.sql.startswith(_FRAME)


def transactions(statements: Sequence[Statement]) -> int:
    """How many of them were begun."""
    return sum(each.sql.startswith("BEGIN") for each in statements)


@contextmanager
def taken_down() -> Iterator[list[Statement]]:
    """All statements of the pool's open connections until the block ends."""
    seen: list[Statement] = []

    def note(record: Any) -> None:
        seen.append(Statement(sql=record.query.strip(), arguments=tuple(record.args)))

    connections = [holder._con for holder in pool()._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(note)
    try:
        yield seen
    finally:
        for connection in connections:
            connection.remove_query_logger(note)


async def all_connected() -> None:
    """Open every connection that the pool may open, so that none is missed."""
    opened: list[asyncpg.Connection] = []
    try:
        for _ in range(pool().get_max_size()):
            opened.append(await pool().acquire())  # noqa: PERF401 - kept also when one of them fails
    finally:
        for connection in opened:
            await pool().release(connection)
