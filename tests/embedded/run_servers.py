"""A parent to kill: runs the servers as its one argument (JSON) says, prints what runs, and stays."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tieline.embedded import embedded_servers


def run(asked: dict[str, Any]) -> None:
    def progress(message: str) -> None:
        if message.startswith(asked.get("die_at", "never")):
            os.kill(os.getpid(), signal.SIGKILL)

    data = Path(asked["data"])
    with embedded_servers(data, redis=asked.get("redis", True), durable=False, progress=progress) as servers:
        pids = [server.process.pid for server in servers.running]
        told = {"admin_url": servers.admin_url, "redis_url": servers.redis_url, "pids": pids}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    wishes = json.loads(sys.argv[1])
    if wishes.get("thread"):
        threading.Thread(target=run, args=(wishes,)).start()
    else:
        run(wishes)
