"""Who waits for a lock that another transaction holds."""

from __future__ import annotations

import asyncpg

from tests.support.polling import until

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def waiting(connection: asyncpg.Connection) -> int:
    """How many transactions of this database wait. Ask outside of a transaction, else the answer stays the same."""
    count: int = await connection.fetchval(_WAITING)
    return count


async def until_blocked(connection: asyncpg.Connection, what: str, *, count: int = 1) -> None:
    """Until so many wait, or more."""

    async def blocked() -> bool:
        return await waiting(connection) >= count

    await until(blocked, what)
