"""Tortoise's asyncpg backend with the door shut: a query that is not in a scope raises instead of running."""

from __future__ import annotations

from typing import Any, NoReturn

from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper

__all__ = ["ScopedClient", "client_class", "wrap"]


class ScopedClient(AsyncpgDBClient):
    """Owns the pool; every query goes through the transaction of a scope.

    `acquire_seconds` bounds the wait for a free connection.
    """

    acquire_seconds: float = 30.0

    def acquire_connection(self) -> NoReturn:
        raise RuntimeError("a query needs a scope: open one with tieline.database.scope or a unit of work")

    def _in_transaction(self) -> NoReturn:
        raise RuntimeError("transactions are opened by tieline.database.scope only")


def wrap(client: ScopedClient, connection: Any) -> TransactionWrapper:
    """A client for Tortoise's queries that runs them on this connection, whose transaction is open."""
    wrapper = TransactionWrapper(client)
    wrapper._connection = connection  # noqa: SLF001 - the library's own way to hand it over
    return wrapper


client_class = ScopedClient
