"""What the driver and the ORM raise when two callers met or the server is away, in our words.

Only calls of the driver are translated, never a caller's own code: a bug must stay a bug.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from tieline.errors import Busy, Unavailable

_MET = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    OSError,  # time-outs too
)

MISUSED = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver says to calls that do not fit its connection's state, and of connections that are gone."""


@contextmanager
def translated(connection: Any = None) -> Iterator[None]:
    """Around one call of the driver. Raises Busy and Unavailable.

    What says that the driver was misused says so, unless the connection is gone. Without a connection, it is
    one that is being asked for: whatever the server says to that, it cannot be used.
    """
    try:
        yield
    except _MET as met:
        raise Busy from met
    except _AWAY as away:
        raise Unavailable from away
    except (*MISUSED, asyncpg.PostgresError) as error:
        if connection is None or (isinstance(error, MISUSED) and is_gone(connection)):
            raise Unavailable from error
        raise


def is_gone(connection: Any) -> bool:
    """Whether the connection is closed; the pool lets go at once of what the server closes, and then nobody may ask."""
    try:
        closed: bool = connection.is_closed()
    except asyncpg.InterfaceError:
        return True
    return closed
