"""Calendar time: what is due, what expires, what a day is. One offset moves it for tests and the demo.

Liveness (leases, heartbeats, time-outs) never comes from here: it is the real time of the database or of
the event loop, and nothing moves it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The calendar instant, in UTC: real time plus the deployment's offset (zero in production)."""
    return datetime.now(UTC) + _offset


def set_offset(offset: timedelta) -> None:
    """Take over the offset that the database holds. `tieline.database` calls this, nobody else."""
    global _offset  # noqa: PLW0603 - one clock for one process
    _offset = offset
