"""How many descriptors a process may come to hold, besides those of who connects to it."""

from __future__ import annotations

from tieline.live.listening import CONNECTIONS as LISTENING
from tieline.live.telling import CONNECTIONS as TELLING
from tieline.plugins.places import PLACES
from tieline.quota.process import CONNECTIONS as QUOTA
from tieline.rates.process import CONNECTIONS as RATES
from tieline.settings import Settings

_THREADS = 32
"""Of the event loop's, at most: each may ring the doorbell, by a connection of its own."""
_OWN = 64
"""Logs, pipes, the event loop, what listens, names looked up, and files that are read."""


def held_at_most(settings: Settings) -> int:
    """The sum of what bounds each of them; a connection to the database takes another to cancel what it is at.

    As many connections to providers as are in use may be kept for another call, for some seconds.
    """
    database = 2 * (settings.database_pool_size + 1)
    redis = RATES + TELLING + LISTENING + QUOTA + _THREADS
    return database + redis + 2 * PLACES + _OWN
