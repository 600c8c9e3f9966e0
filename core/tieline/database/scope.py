"""A scope: one transaction under one role, seeing the rows of one practice or, for the system, of all.

Entering costs one round trip (BEGIN, the role and the practice go together) and leaving one. The connection
goes back to the pool whatever happens and whenever: also when the task is cancelled in the middle of BEGIN.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeAlias

from tortoise.connection import get_connections

from tieline import clock
from tieline.database.connect import ALIAS, pool, pool_client
from tieline.database.engine import OVER, ScopedTransaction
from tieline.database.faults import DRIVER, is_gone, translated, was_ended
from tieline.database.roles import APP_ROLE, SYSTEM_ROLE
from tieline.errors import Unavailable
from tieline.ids import PracticeId

Rows: TypeAlias = Sequence[Any]

_current: ContextVar[Scope | None] = ContextVar("tieline_scope", default=None)
_CLEAN_UP_SECONDS = 5.0
_movable_clock = False


class Scope:
    """Runs SQL in the open transaction; `practice_id` is None for the system."""

    __slots__ = ("_connection", "practice_id")

    def __init__(self, connection: Any, practice_id: PracticeId | None) -> None:
        self._connection = connection
        self.practice_id = practice_id

    async def rows(self, sql: str, *arguments: object) -> Rows:
        with translated(self._connection):
            found: Rows = await self._connection.fetch(sql, *arguments)
        return found

    async def row(self, sql: str, *arguments: object) -> Any:
        """The first row, or None."""
        with translated(self._connection):
            return await self._connection.fetchrow(sql, *arguments)

    async def value(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        with translated(self._connection):
            return await self._connection.fetchval(sql, *arguments)

    async def run(self, sql: str, *arguments: object) -> int:
        """Execute; how many rows it touched."""
        with translated(self._connection):
            tag: str = await self._connection.execute(sql, *arguments)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def end(self) -> None:
        """Its connection serves others from now on."""
        self._connection = OVER


def current() -> Scope:
    """The scope this task is in. A repository that is called outside of one is a bug."""
    found = _current.get()
    if found is None:
        raise RuntimeError(
            "no scope is open here: call the repository from a service's scope or unit of work"
        )
    return found


def use_movable_clock(*, movable: bool) -> None:
    """Read the deployment's clock offset at the start of each scope (one more round trip), or never."""
    global _movable_clock  # noqa: PLW0603 - set once, when the process starts
    _movable_clock = movable


@asynccontextmanager
async def scope(practice_id: PracticeId) -> AsyncIterator[Scope]:
    """A transaction that sees this practice's rows and no other. Raises Busy and Unavailable."""
    async with _transaction(APP_ROLE, practice_id) as opened:
        yield opened


@asynccontextmanager
async def system_scope() -> AsyncIterator[Scope]:
    """A transaction that sees every practice: for looking up who is asking, claims and sweeps only."""
    async with _transaction(SYSTEM_ROLE, None) as opened:
        yield opened


@asynccontextmanager
async def as_system(opened: Scope) -> AsyncIterator[None]:
    """Look past the practice for one statement of an open transaction, then go back to its role."""
    practice = opened.practice_id
    await opened.run(f"SET LOCAL ROLE {SYSTEM_ROLE}")
    yield
    await opened.run(f"SET LOCAL ROLE {APP_ROLE if practice else SYSTEM_ROLE}")


@asynccontextmanager
async def _transaction(role: str, practice_id: PracticeId | None) -> AsyncIterator[Scope]:
    if _current.get() is not None:
        raise RuntimeError("a scope is open already: finish it first, or hand it on")
    connection = await _begin(_opening(role, practice_id))
    committed = False
    try:
        opened = Scope(connection, practice_id)
        if _movable_clock:
            clock.set_offset(await opened.value("SELECT offset_by FROM clock") or timedelta(0))
        with _entered(opened, connection):
            yield opened
        await _commit(connection)
        committed = True
    finally:
        await asyncio.shield(_give_back(connection, committed=committed))


@contextmanager
def _entered(opened: Scope, connection: Any) -> Iterator[None]:
    """Make it the scope of this task, for our SQL and for Tortoise's."""
    transaction = ScopedTransaction.on(connection, pool_client())
    tortoise = get_connections().set(ALIAS, transaction)
    token = _current.set(opened)
    try:
        yield
    finally:
        _current.reset(token)
        get_connections().reset(tortoise)
        opened.end()
        transaction.end()


async def _begin(opening: str) -> Any:
    """A pooled connection whose transaction is open; it is back in the pool when opening it fails.

    One that was ended while it lay in the pool, which may show only when it is used, costs another try, not an error:
    nothing was done on it yet.
    """
    tries = pool().get_max_size()  # all of them may have been ended
    while True:
        with translated():
            connection = await pool().acquire(timeout=pool_client().acquire_seconds)
        try:
            with translated(connection):
                await connection.execute(opening)
        except BaseException as failure:
            tries -= 1
            again = tries > 0 and isinstance(failure, Unavailable) and was_ended(connection, failure)
            await asyncio.shield(_give_back(connection, committed=False))
            if not again:
                raise
        else:
            return connection


async def _commit(connection: Any) -> None:
    with translated(connection):
        tag = await connection.execute("COMMIT")
    if tag != "COMMIT":
        raise RuntimeError("an error of the database was swallowed in this scope, so nothing of it was kept")


async def _give_back(connection: Any, *, committed: bool) -> None:
    """Nothing that fails here says anything of what was done: the pool lets go of a connection that is of no use."""
    with suppress(*DRIVER):
        try:
            if not committed and not is_gone(connection):
                await connection.execute("ROLLBACK", timeout=_CLEAN_UP_SECONDS)
        except DRIVER:
            connection.terminate()
        finally:
            await pool().release(connection, timeout=_CLEAN_UP_SECONDS)


def _opening(role: str, practice_id: PracticeId | None) -> str:
    # One simple query takes no parameters; the role is a constant and the id prints as hex and dashes only.
    practice = str(practice_id) if practice_id else ""
    return f"BEGIN; SET LOCAL ROLE {role}; SELECT set_config('tieline.practice', '{practice}', true)"
