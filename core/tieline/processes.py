"""What a process is called where servers list who is connected: `tieline/worker/interactive/host/4711`.

PostgreSQL shows it as `application_name`, Redis as a client's name. So the doctor sees what runs, and no table is
needed for it.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

COMMAND = "tieline"
"""A command that ends by itself is called this and no more."""
_MARK = "tieline/"
_HOST_LENGTH = 16  # PostgreSQL keeps 63 characters in all
_UNFIT = re.compile(r"[^A-Za-z0-9.-]")
_PARTS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A process that was seen: what it was started as, which queues it serves, where it runs."""

    role: str
    queues: frozenset[str]
    place: str


def name_of(role: str, queues: Sequence[str] = (), *, host: str | None = None) -> str:
    """What this process is called, on this machine if none is named; it has no space, which Redis would refuse."""
    place = _UNFIT.sub("-", socket.gethostname() if host is None else host)[:_HOST_LENGTH]
    return f"{_MARK}{role}/{'+'.join(queues)}/{place}/{os.getpid()}"


def read_name(name: str) -> Running | None:
    """None where it is the name of no process that stays."""
    parts = name.split("/")
    if not name.startswith(_MARK) or len(parts) != _PARTS:
        return None
    _, role, queues, host, pid = parts
    return Running(role=role, queues=frozenset(filter(None, queues.split("+"))), place=f"{host}/{pid}")
