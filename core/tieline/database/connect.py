"""Opening and closing the pool, and refusing to start on a database that would not hold its promises."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection

from tieline.database.address import CONNECT_FAULTS, credentials, unreachable
from tieline.database.engine import ScopedClient
from tieline.database.roles import check_roles
from tieline.errors import StartRefused
from tieline.processes import COMMAND
from tieline.settings import Settings

ALIAS = "default"
APP = "tieline"
# The tables of the engine (jobs, events, the clock, words of names) are made and used by SQL alone.
MODELS = [
    "tieline.practices.models",
    "tieline.clients.models",
    "tieline.credentials.models",
    "tieline.connections.models",
    "tieline.sign_ins.models",
    "tieline.sync.models",
]
_OLDEST_WRITE = """
SELECT coalesce(max(clock_timestamp() - xact_start), '0') FROM pg_stat_activity WHERE backend_xid IS NOT NULL
"""
MINIMUM_MAJOR = 14  # xid8 and pg_current_snapshot in their present form


async def open_database(settings: Settings, *, name: str = COMMAND) -> None:
    """Make the pool and check that the server, the login and its roles are fit. Raises StartRefused.

    `name`: what the server lists this process as.
    """
    await Tortoise.init(config=tortoise_config(settings, name=name), _enable_global_fallback=True)
    try:
        pool_client().acquire_seconds = settings.database_timeout
        await pool_client().create_connection(with_db=True)
        await check_database()
        pool_client().beside = await asyncpg.create_pool(**_beside(settings, name))
    except CONNECT_FAULTS as away:
        await close_database()
        raise unreachable(settings, away) from away
    except BaseException:
        await close_database()
        raise


async def close_database() -> None:
    await Tortoise.close_connections()


def pool_client() -> ScopedClient:
    """The client that owns the pool, also from inside of a scope."""
    client = get_connection(ALIAS)
    owner = getattr(client, "_parent", client)
    if not isinstance(owner, ScopedClient):
        raise TypeError("the database was not opened by tieline.database")
    return owner


def pool() -> Any:
    """The asyncpg pool."""
    opened = pool_client()._pool  # noqa: SLF001 - Tortoise keeps its pool private
    if opened is None:
        raise RuntimeError("the database is not open")
    return opened


def pool_beside() -> Any:
    """The asyncpg pool of the one connection that callers do not use."""
    opened = pool_client().beside
    if opened is None:
        raise RuntimeError("the database is not open")
    return opened


def pool_figures() -> dict[str, int]:
    """Connections of this process: `size` open, `idle` of them free, `limit` at most."""
    opened = pool()
    return {"size": opened.get_size(), "idle": opened.get_idle_size(), "limit": opened.get_max_size()}


async def oldest_write() -> timedelta:
    """How long the oldest transaction of this login that has written is open; events of later ones wait for it."""
    async with pool().acquire(timeout=pool_client().acquire_seconds) as connection:
        oldest: timedelta = await connection.fetchval(_OLDEST_WRITE)
    return oldest


async def check_database() -> None:
    """Raise StartRefused where the server is too old or the two walls would not stand."""
    async with pool().acquire() as connection:
        check_version(connection.get_server_version().major)
        await check_roles(connection)


def _beside(settings: Settings, name: str) -> dict[str, Any]:
    """The same connections as the pool's, one at most and none to begin with."""
    pooled = tortoise_config(settings, name=name)["connections"][ALIAS]["credentials"]
    counts = {"min_size": 0, "max_size": 1}
    return {key: value for key, value in pooled.items() if key not in {"minsize", "maxsize"}} | counts


def check_version(major: int) -> None:
    """Raise StartRefused where the server is too old."""
    if major < MINIMUM_MAJOR:
        raise StartRefused(
            f"PostgreSQL {major} is too old", f"upgrade the server to {MINIMUM_MAJOR} or newer"
        )


def tortoise_config(
    settings: Settings, *, engine: str = "tieline.database.engine", name: str = COMMAND
) -> dict[str, Any]:
    timeout = settings.database_timeout
    return {
        "connections": {
            ALIAS: {
                "engine": engine,
                "credentials": {
                    **credentials(settings),
                    "minsize": 1,
                    "maxsize": settings.database_pool_size,
                    "timeout": min(timeout, 10.0),
                    "command_timeout": timeout,
                    "reset": _nothing_to_reset,
                    "server_settings": {
                        "application_name": name,
                        "idle_in_transaction_session_timeout": str(int(timeout * 1000)),
                    },
                },
            }
        },
        "apps": {APP: {"models": MODELS, "default_connection": ALIAS, "migrations": "tieline.migrations"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    """A scope sets everything LOCAL to its transaction, so a connection comes back clean by itself."""
    await asyncio.sleep(0)
