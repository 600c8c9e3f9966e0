"""Ports for the servers of tests, which nobody else gets in between."""

from __future__ import annotations

import socket
import sys


def free_port() -> int:
    """A loopback port that nobody listens on; it is nobody else's as long as this process lives, also while unused.

    It is bound and never closed. On Linux a server, which allows addresses to be used again, may listen there all the
    same, and whoever only asks for a free port is given another one.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    port: int = kept.getsockname()[1]
    if sys.platform == "linux":
        kept.detach()
    else:
        kept.close()
    return port
