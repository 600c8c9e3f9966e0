"""Whether this process was told to stop.

Then it takes nothing new, lets what is under way end, and is over in bounded time, whatever holds it up.
"""

from __future__ import annotations

import os
import threading
from typing import NoReturn

from tieline.log import get_logger

END_SECONDS = 14.0
"""A supervisor that kills after 15 never has to."""
OVERDUE = 1
"""The exit code of a process that was not over by then."""

log = get_logger(__name__)
_told = threading.Event()


def begin(process: str, *, seconds: float) -> None:
    """From here on this process drains; it is over within so many seconds, whatever still holds it up."""
    _told.set()
    overdue = threading.Timer(seconds, _overdue, (process,))
    overdue.daemon = True
    overdue.start()


def under_way() -> bool:
    """Whether this process drains."""
    return _told.is_set()


def _overdue(process: str) -> NoReturn:
    event = f"{process}.not_drained"
    log.error(event)
    os._exit(OVERDUE)
