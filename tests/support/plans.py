"""The plans of the statements that a call sends: what each node of them reads, under the application's role."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.support.statements import Statement, all_connected, taken_down
from tieline.database import scope, system_scope
from tieline.ids import PracticeId

Node = dict[str, Any]
_DRIVERS = ("typeinfo_tree", "'jit'")


class Undone(Exception):
    """Takes back what explaining a statement did."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a call sent: its statements about rows, and what it told the planner before."""

    data: list[Statement]
    settings: list[str]


async def forget_statistics(sql: asyncpg.Connection, *tables: str) -> None:
    """From here on the planner knows of these tables what it knows of a database that was never analysed."""
    await sql.execute("DELETE FROM pg_statistic WHERE starelid = ANY ($1::regclass[])", tables)
    await sql.execute(
        "UPDATE pg_class SET relpages = 0, reltuples = -1, relallvisible = 0 WHERE oid = ANY ($1::regclass[]) "
        "OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY ($1::regclass[]))",
        tables,
    )


async def sent_by(call: Callable[[], Awaitable[Any]]) -> Sent:
    """Without what the driver asks of types that it meets for the first time."""
    await all_connected()
    with taken_down() as statements:
        await call()
    return Sent(
        data=[each for each in statements if each.is_data and not any(sign in each.sql for sign in _DRIVERS)],
        settings=[each.sql for each in statements if each.sql.startswith("SET LOCAL enable_")],
    )


async def explained(practice_id: PracticeId | None, sent: Sent) -> list[Node]:
    """The nodes of the plan that the one statement of a call has; without a practice, as the system."""
    (statement,) = sent.data
    with suppress(Undone):
        async with scope(practice_id) if practice_id else system_scope() as opened:
            for setting in sent.settings:
                await opened.run(setting)
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {statement.sql}"
            plan = json.loads(await opened.value(explain, *statement.arguments))
            raise Undone
    return list(nodes_of(plan[0]["Plan"]))


def nodes_of(plan: Node) -> Iterator[Node]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


def handled(node: Node) -> float:
    """How many rows a node of a plan made or threw away, over all its loops."""
    thrown = sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    count: float = (node["Actual Rows"] + thrown) * node["Actual Loops"]
    return count
