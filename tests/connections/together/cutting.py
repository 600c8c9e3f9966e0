"""Two who act at once, the second one at a chosen moment of the first: between two statements, or around a call.

The second runs until it ends or has to wait for the first, which then goes on. Nothing is left to chance, so every
moment can be tried.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

import asyncpg
import pytest

T = TypeVar("T")

scope_module: Any = importlib.import_module("tieline.database.scope")
"""The package has a function of the same name."""

_STATEMENTS = ("execute", "executemany", "fetch", "fetchrow", "fetchval")
_AGAIN_SECONDS = 0.001
_NOBODY, _FIRST, _SECOND = range(3)

_who: ContextVar[int] = ContextVar("who", default=_NOBODY)
_BLOCKED = "SELECT cardinality(pg_blocking_pids($1)) > 0"


class Cutting:
    """Plays two at once; `deadlocks` are statements that were given up for one, which locks in one order exclude."""

    def __init__(self, watching: asyncpg.Connection) -> None:
        self._watching = watching
        self._second: Callable[[], Awaitable[Any]] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._context: Context = copy_context()
        self._cut = 0
        self._waiting: int | None = None
        self._is_parked = False
        self.moments = 0
        self.deadlocks: list[str] = []

    async def alone(self, first: Callable[[], Awaitable[T]]) -> T:
        """With nobody else; `moments` says then how many there are to cut it at."""
        self._second, self._task, self.moments = None, None, 0
        return await self._as(_FIRST, first)

    async def play(
        self, first: Callable[[], Awaitable[T]], second: Callable[[], Awaitable[T]], *, cut: int
    ) -> tuple[T, T]:
        """What both say; where the first has ended before that moment, the second comes after it."""
        self._second, self._task, self._cut, self.moments = second, None, cut, 0
        self._waiting, self._is_parked = None, False
        try:
            one = await self._as(_FIRST, first)
        finally:
            other: T = await self._begun(second)
        return one, other

    def _begun(self, second: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        if self._task is None:
            self._task = self._as(_SECOND, second)
        return self._task

    def _as(self, who: int, doing: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """In a context of its own: what the first has open is not the second's."""

        async def run() -> T:
            _who.set(who)
            return await doing()

        return asyncio.get_running_loop().create_task(run(), context=self._context.copy())

    async def moment(self) -> None:
        """The first is between two things that others may see."""
        if _who.get() != _FIRST:
            return
        self.moments += 1
        if self._second is None or self.moments != self._cut:
            return
        self._task = self._as(_SECOND, self._second)
        while not (self._task.done() or self._is_parked or await self._is_blocked()):
            await _sleep(_AGAIN_SECONDS)

    async def statement(self, connection: Any, name: str, arguments: tuple[Any, ...], named: Any) -> Any:
        await self.moment()
        is_second = _who.get() == _SECOND
        if is_second:
            self._waiting = connection.get_server_pid()
        try:
            return await getattr(connection, name)(*arguments, **named)
        except asyncpg.DeadlockDetectedError:
            self.deadlocks.append(str(arguments[0]))
            raise
        finally:
            if is_second:
                self._waiting = None

    async def sleep(self, seconds: float, result: Any = None) -> Any:
        """Whoever sleeps waits for the other one, but for what only beats beside a job."""
        self._is_parked = self._is_parked or (self._task is not None and asyncio.current_task() is self._task)
        return await _sleep(seconds, result)

    async def _is_blocked(self) -> bool:
        waiting = self._waiting
        return waiting is not None and bool(await self._watching.fetchval(_BLOCKED, waiting))


class _Seen:
    """A pooled connection whose statements the cutting sees."""

    def __init__(self, connection: Any, cutting: Cutting) -> None:
        self.connection = connection
        self._cutting = cutting

    def __getattr__(self, name: str) -> Any:
        if name not in _STATEMENTS:
            return getattr(self.connection, name)

        async def statement(*arguments: Any, **named: Any) -> Any:
            return await self._cutting.statement(self.connection, name, arguments, named)

        return statement


_sleep = asyncio.sleep


@contextmanager
def seen(cutting: Cutting) -> Iterator[None]:
    """All scopes of this process run on connections that it sees."""
    begin, give_back = scope_module._begin, scope_module._give_back

    async def begun(opening: str) -> Any:
        return _Seen(await begin(opening), cutting)

    async def given_back(connection: Any, *, committed: bool) -> None:
        await give_back(connection.connection, committed=committed)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scope_module, "_begin", begun)
        patched.setattr(scope_module, "_give_back", given_back)
        patched.setattr(asyncio, "sleep", cutting.sleep)
        yield
