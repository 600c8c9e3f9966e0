"""What the driver and the ORM raise when two callers met or the server is away, in our words.

Only calls of the driver are translated, never a caller's own code: a bug must stay a bug.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from tieline.errors import Busy, DatabaseFailed, Unavailable

_MET = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
_FAILED = (
    asyncpg.OutOfMemoryError,
    asyncpg.ConfigurationLimitExceededError,
    asyncpg.PostgresSystemError,  # its files: one may be lost for good
)
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it shuts down, starts, or somebody cancelled the statement
    asyncpg.InsufficientResourcesError,  # connections or disk
    asyncpg.ReadOnlySQLTransactionError,  # a standby, or one that is kept from writing
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    OSError,  # time-outs too
)

_ENDED = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    ConnectionError,
)

MISUSED = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver says to calls that do not fit its connection's state, and of connections that are gone."""

DRIVER = (asyncpg.PostgresError, *MISUSED, OSError)
"""All that the driver raises, whatever it is about."""


@contextmanager
def translated(connection: Any = None) -> Iterator[None]:
    """Around one call of the driver. Raises Busy and Unavailable; DatabaseFailed, where the next may fare no better.

    What the server says of a statement, or the driver of its use, stays what it is, unless the connection is gone.
    Without a connection, it is one that is being asked for: whatever the server says to that, it cannot be used.
    """
    try:
        yield
    except _MET as met:
        raise Busy from met
    except _FAILED as failed:
        raise (Unavailable if connection is None or is_gone(connection) else DatabaseFailed) from failed
    except _AWAY as away:
        raise Unavailable from away
    except (*MISUSED, asyncpg.PostgresError) as error:
        if connection is None or is_gone(connection):
            raise Unavailable from error
        raise


def was_ended(connection: Any, failure: BaseException) -> bool:
    """Whether a call of it failed because the server, or the line, had ended the connection: another may serve.

    One that is gone because somebody lost patience with it says nothing of the others.
    """
    cause = failure.__cause__
    return not isinstance(cause, TimeoutError) and (is_gone(connection) or isinstance(cause, _ENDED))


def is_gone(connection: Any) -> bool:
    """Whether the connection is closed; the pool lets go at once of what the server closes, and then nobody may ask."""
    try:
        closed: bool = connection.is_closed()
    except asyncpg.InterfaceError:
        return True
    return closed
