"""Ports of a test's own: whoever else asks for a free one is given another."""

from __future__ import annotations

import os
import socket
from collections import deque

_MOST = 200
"""Held at a time: those of before have long been taken by whom they were for."""
_held: deque[int] = deque()


def free_port() -> int:
    """Nobody answers there until a server of the test's listens, as servers do where somebody was before.

    It stays bound meanwhile: one that is only known to have been free is another's seconds later on a busy machine.
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        _held.append(bound.detach())
    if len(_held) > _MOST:
        os.close(_held.popleft())
    return port
