"""A parent to kill: runs the servers as its one argument (JSON) says, prints what runs, and stays."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tieline.embedded import embedded_servers
from tieline.embedded.process import Server


def run(asked: dict[str, Any]) -> None:
    def progress(message: str) -> None:
        if message.startswith(asked.get("die_at", "never")):
            os.kill(os.getpid(), signal.SIGKILL)

    if awaited := asked.get("die_when"):
        die_when(Path(awaited))
    data = Path(asked["data"])
    with embedded_servers(data, redis=asked.get("redis", True), durable=False, progress=progress) as servers:
        pids = [server.process.pid for server in servers.running]
        told = {"admin_url": servers.admin_url, "redis_url": servers.redis_url, "pids": pids}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def die_when(awaited: Path) -> None:
    """Once this is there, or at the latest when the server has come so far as it is waited for."""
    wait = Server.wait_until

    def look(server: Server, ready: Callable[[], bool], *more: float) -> None:
        def dying() -> bool:
            if awaited.exists():
                os.kill(os.getpid(), signal.SIGKILL)
            return ready()

        wait(server, dying, *more)

    setattr(Server, "wait_until", look)  # noqa: B010 - it waits nowhere else


if __name__ == "__main__":
    wishes = json.loads(sys.argv[1])
    if wishes.get("thread"):
        threading.Thread(target=run, args=(wishes,)).start()
    else:
        run(wishes)
