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


@contextmanager
def translated(connection: Any = None) -> Iterator[None]:
    """Around one call of the driver. Raises Busy and Unavailable.

    The driver's InterfaceError means its own misuse, unless the connection is gone. Without a connection, it is
    one that is being asked for: whatever the server says to that, it cannot be used.
    """
    try:
        yield
    except _MET as met:
        raise Busy from met
    except _AWAY as away:
        raise Unavailable from away
    except (asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        if connection is None or (isinstance(error, asyncpg.InterfaceError) and connection.is_closed()):
            raise Unavailable from error
        raise
