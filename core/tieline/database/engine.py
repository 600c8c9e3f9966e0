"""Tortoise's asyncpg backend with the door shut: a query that is not in a scope raises instead of running."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, NoReturn, Self

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper

from tieline.database.faults import translated

CLOSE_SECONDS = 3.0

__all__ = ["ScopedClient", "ScopedTransaction", "client_class"]


class ScopedClient(AsyncpgDBClient):
    """Owns the pool; every query goes through the transaction of a scope.

    `acquire_seconds` bounds the wait for a free connection. `beside` is a pool of one connection, opened when it is
    wanted, for who asks how the database is: callers that have all of the others cannot keep it waiting.
    """

    acquire_seconds: float = 30.0
    beside: asyncpg.Pool | None = None

    def acquire_connection(self) -> NoReturn:
        raise RuntimeError("a query needs a scope: open one with tieline.database.scope or a unit of work")

    async def _close(self) -> None:
        """Whoever still holds a connection after `CLOSE_SECONDS` loses it: the process has been told to end.

        Until then it can be given back, and nobody is given another.
        """
        pools = [pool for pool in (self._pool, self.beside) if pool is not None]
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await asyncio.gather(*(pool.close() for pool in pools))
        finally:
            for pool in pools:
                pool.terminate()  # what is still open, whatever kept it so
            self._pool = self.beside = None

    def _in_transaction(self) -> NoReturn:
        raise RuntimeError("transactions are opened by tieline.database.scope only")


class _Over:
    """In the place of a connection: a task that outlives its scope is a bug, and must not look like a server away."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError("the scope that this task was made in is over")


OVER = _Over()


class ScopedTransaction(TransactionWrapper):
    """Runs Tortoise's queries on a connection whose transaction is open."""

    @classmethod
    def on(cls, connection: Any, client: ScopedClient) -> Self:
        wrapper = cls(client)
        wrapper._connection = connection
        return wrapper

    def end(self) -> None:
        """Its connection serves others from now on."""
        self._connection = OVER

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Ours comes first: the ORM's own words do not tell a server that is away from a statement that is wrong."""

        async def told_by_us(wrapper: Any, *given: Any, **named: Any) -> Any:
            with translated(self._connection):
                return await func(wrapper, *given, **named)

        return await super()._translate_exceptions(told_by_us, *args, **kwargs)


client_class = ScopedClient
